"""PURE: why a member has not got what they should, and what to do next, in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.models import BatchState, Verdict
from integrations.planning import desired
from integrations.services.member_lists import ListLine
from integrations.services.member_standing import Standing
from loyalty.models.members import ConsentState
from portal import wording


@dataclass(frozen=True)
class Headline:
    """The answer at the top: `look` is good, busy, attention, bad or held; `run_id` the run that it tells of."""

    look: str
    words: str
    next_step: str = ""
    run_id: int | None = None


@dataclass(frozen=True)
class Note:
    """What can keep a mail away even though the profile arrived."""

    look: str
    words: str


HELD = {
    desired.NOT_OPTED_IN: (
        "has allowed neither e-mail nor SMS marketing, and this connection sends only members who have",
        "When they allow it in your shop, it is sent by itself.",
    ),
    desired.NO_IDENTIFIER: (
        "has no usable e-mail address or phone number",
        "Correct one of them in your shop; it is sent by itself then.",
    ),
    desired.SHARED_EMAIL: (
        "has the same e-mail address as another member, and the older one keeps the profile",
        "Give one of them another address in your shop; it is sent by itself then.",
    ),
    desired.SHARED_PHONE: (
        "has the same phone number as another member, and no e-mail address to tell them apart",
        "Give one of them another number or an e-mail address in your shop; it is sent by itself then.",
    ),
    desired.EXISTING_PROFILE: (
        "has a profile there from before us, and this connection leaves existing profiles alone",
        "To send them all the same, choose another merge policy in the settings of the connection.",
    ),
    desired.TOO_LARGE: (
        "has more data than one profile may hold (100 KB)",
        "Shorten the fields, or map fewer of them; it is sent by itself then.",
    ),
}


def headline(standing: Standing) -> Headline:
    """The one reason that matters now: the first that applies."""
    for look in (_off, _held, _moving, _refused, _stopped, _waiting, _gave_up, _never, _different):
        if found := look(standing):
            return found
    return _arrived(standing)


def _who(standing: Standing) -> str:
    return str(standing.member)


def _off(standing: Standing) -> Headline | None:
    if standing.extension.is_active:
        return None
    words = f"{standing.extension.name} is switched off, so nothing is sent."
    return Headline("attention", words, "Switch the connection on; what changed meanwhile is sent then.")


def _held(standing: Standing) -> Headline | None:
    sent = standing.sent
    code = standing.hold
    if not code and sent and sent.verdict == Verdict.HELD and sent.code in HELD and not sent.due_at:
        code = sent.code
    if code not in HELD:
        return None
    why, step = HELD[code]
    return Headline("held", f"Held back: {_who(standing)} {why}.", step)


def _moving(standing: Standing) -> Headline | None:
    batch = standing.batch
    if batch is None:
        return None
    if batch.state in (BatchState.ACCEPTED, BatchState.SETTLING):
        words = f"{_who(standing)} is on the way: {standing.name} has taken it and is working on it."
        return Headline("busy", words, "The answer is read by itself.", batch.run_id)
    if batch.not_before and batch.not_before > standing.now:
        words = f"{_who(standing)} waits for another try: {batch.words or 'the last one failed.'}"
        return Headline("attention", words, _in(standing, batch.not_before), batch.run_id)
    return Headline("busy", f"{_who(standing)} is on the way to {standing.name} now.", "", batch.run_id)


def _in(standing: Standing, moment: datetime) -> str:
    seconds = (moment - standing.now).total_seconds()
    return f"It is sent by itself in {wording.about(seconds)}."


def _refused(standing: Standing) -> Headline | None:
    sent = standing.sent
    if sent is None or sent.verdict != Verdict.REJECTED or not standing.is_refused:
        return None
    reason = sent.words.removeprefix(f"{standing.name} refused this member: ") or "it gave no reason."
    words = f"{standing.name} refused {_who(standing)}: {reason}"
    step = "Correct the data in your shop; it is sent by itself then. Or send the person again as they are."
    return Headline("bad", words, step)


def _stopped(standing: Standing) -> Headline | None:
    if not (standing.needs_attention and (standing.differs or standing.is_due)):
        return None
    reason = standing.extension.health_reason or "the connection needs attention."
    words = f"{_who(standing)} waits, because {standing.extension.name} needs attention: {reason}"
    return Headline("attention", words, "Mend the connection; it is sent by itself then.")


def _waiting(standing: Standing) -> Headline | None:
    sent = standing.sent
    if not standing.is_due:
        return None
    if sent and sent.not_before and sent.not_before > standing.now:
        tries = f" after {wording.counted(sent.failures, 'try', 'tries')}" if sent.failures else ""
        words = f"{_who(standing)} waits for another try{tries}. {sent.words}".strip()
        return Headline("attention", words, _in(standing, sent.not_before))
    since = (
        f" since {wording.duration((standing.now - sent.due_at).total_seconds())}"
        if sent and sent.due_at
        else ""
    )
    return Headline("busy", f"A change waits to be sent{since}.", "It is sent by itself within seconds.")


def _gave_up(standing: Standing) -> Headline | None:
    sent = standing.sent
    if sent is None or sent.verdict != Verdict.FAILED or not standing.differs:
        return None
    words = f"Our side failed to send {_who(standing)}: {sent.words or 'it did not get through.'}"
    return Headline("bad", words, "Send the person again, or re-run the failed rows of the run.")


def _never(standing: Standing) -> Headline | None:
    if standing.arrived is not None:
        return None
    words = f"{_who(standing)} was never sent to {standing.name}."
    return Headline("attention", words, "The next full run sends them. Or send the person now.")


def _different(standing: Standing) -> Headline | None:
    sent = standing.sent
    if sent is None or not standing.differs:
        return None
    words = f"{standing.name} has {_who(standing)}, but something is different from what was sent last."
    return Headline("attention", words, "The next run sends it. Or send the person now.", sent.run_id)


def _arrived(standing: Standing) -> Headline:
    sent = standing.sent
    assert sent is not None  # what arrived has its row
    ago = f" {wording.ago(sent.sent_at, standing.now)}" if sent.sent_at else ""
    more = f" {sent.words}" if sent.words else ""
    return Headline(
        "good",
        f"{_who(standing)} has arrived at {standing.name} as it should be{ago}.{more}",
        "",
        sent.run_id,
    )


def consent_note(standing: Standing) -> Note:
    """Whether the person may receive e-mail, as far as we know; what the destination holds decides."""
    name, state = standing.name, standing.member.email_consent
    if state == ConsentState.GRANTED:
        words = (
            f"May receive e-mail: yes, as far as your shop knows. {name} mails those who subscribed there."
        )
        return Note("good", words)
    if state == ConsentState.REVOKED:
        return Note("attention", f"May receive e-mail: no, they took it back. {name} must not mail them.")
    words = (
        f"May receive e-mail: no, never asked. {name} will not mail them even though their profile arrives."
    )
    return Note("attention", words)


def notes(standing: Standing, lists: Sequence[ListLine], stuck_events: int) -> list[Note]:
    """What else decides whether a mail reaches the person: consent, lists, events."""
    found = [consent_note(standing)]
    found += [
        Note(line.look, f"List “{line.mapping.list_name}”: {line.words[0].lower()}{line.words[1:]}.")
        for line in lists
        if line.keeps_away
    ]
    if not standing.extension.events_enabled:
        words = "This connection sends no events, so a flow that an event starts does not start."
        found.append(Note("attention", words))
    elif stuck_events:
        is_are = "has" if stuck_events == 1 else "have"
        words = f"{wording.counted(stuck_events, 'event')} of theirs {is_are} not arrived."
        found.append(Note("attention", words))
    return found
