"""PURE: what the code of a failure means and how it is mended, whatever the destination is.

A destination adds its own codes (`cause_help` of the port); theirs come first, and an unknown one has words too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

BY_ITSELF = "Correct it where the data comes from; it is sent by itself then."
AFTERWARDS = "Nothing is wrong with the data. Re-run these once the other side answers again."
MADE_ANEW = "It is made anew when the person is sent again: re-run these."
OF_THE_LIST = "See to the list under Audiences, then re-run these. Other lists go on."

# Code → what happened, how it is mended.
ADVICE: dict[str, tuple[str, str]] = {
    "": ("No reason was given", "Read one row's story under Why. If nothing shows there, re-run these."),
    "invalid": ("The data was not accepted", f"The words say why. {BY_ITSELF}"),
    "rejected": ("The data was not accepted", f"The words say why. {BY_ITSELF}"),
    "too_large": ("More data than one call takes", "Shorten the longest fields, or map fewer of them."),
    "row_too_large": ("A profile is too large", "Shorten its fields, or map fewer of them."),
    "identity_conflict": (
        "Two profiles answer to one member",
        "Merge the two profiles there, or correct the e-mail or phone of one member; then re-run these.",
    ),
    "profile_gone": ("The profile is gone there", f"It was merged or deleted. {MADE_ANEW}"),
    "unknown_profile": ("The profile is gone there", f"It was merged or deleted. {MADE_ANEW}"),
    "not_there": ("Nobody there by that name", f"The job refused rows without naming them. {MADE_ANEW}"),
    "not_updated": ("The new values are not there", f"The job refused rows without naming them. {MADE_ANEW}"),
    "list_gone": ("The list does not exist any more", OF_THE_LIST),
    "list_refused": ("The list takes nobody", OF_THE_LIST),
    "temporary": ("The other side could not take it", f"It was tried several times. {AFTERWARDS}"),
    "unexpected_answer": ("An answer that we cannot read", f"The words show it. {AFTERWARDS}"),
    "job_overdue": ("The job there did not end", AFTERWARDS),
    "job_cancelled": ("The job was cancelled there", "It was sent again several times. Re-run these."),
    "worker_lost": (
        "The portal's worker ended each time",
        "The operator looks at the worker's log and its memory first; then re-run these.",
    ),
    "portal_error": (
        "The portal made a mistake",
        "The operator finds it in the log of the worker. Re-run these when it is mended.",
    ),
    "configuration": ("The set-up cannot work", "The words say what to change at the connection or its mappings."),
    "authentication": ("We are not let in any more", "Reconnect the connection; then re-run these."),
    "scope_missing": ("A permission is missing", "Give the permission that the words name, then re-run these."),
    "no_identifier": ("No usable e-mail or phone", f"Enter one of the two. {BY_ITSELF}"),
    "not_opted_in": (
        "Has not allowed marketing",
        "This connection sends only members who have. They are sent by themselves once they do.",
    ),
    "shared_email": ("Two members, one e-mail address", f"The older one keeps it. {BY_ITSELF}"),
    "shared_phone": ("Two members, one phone number", f"The older one keeps it. {BY_ITSELF}"),
    "refused_before": (
        "Refused before, and unchanged",
        f"The same data would be refused again. {BY_ITSELF}",
    ),
    "existing_profile": (
        "The profile was there before us",
        "This connection leaves such profiles alone. Choose another policy under its settings to change that.",
    ),
    "discarded": ("Discarded when events were switched off", "Nothing to do: somebody chose that."),
    "cancelled": ("The run was cancelled", "The next run takes these up."),
}  # fmt: skip
UNKNOWN = "The words say what happened. Correct the data and it is sent by itself, or re-run these."


@dataclass(frozen=True)
class Advice:
    title: str
    mend: str


def of(code: str, own: Mapping[str, tuple[str, str]] | None = None) -> Advice:
    """What to say of a code; `own` are the destination's."""
    title, mend = (own or {}).get(code) or ADVICE.get(code) or (_title(code), UNKNOWN)
    return Advice(title, mend)


def _title(code: str) -> str:
    """A code that nobody has words for, as readable as it gets."""
    words = code.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] if words else ADVICE[""][0]
