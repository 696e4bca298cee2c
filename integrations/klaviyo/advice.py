"""PURE: Klaviyo's own codes of refusals, and how each is mended."""

from typing import Final

CAUSE_HELP: Final[dict[str, tuple[str, str]]] = {
    "invalid": (
        "Klaviyo refuses the data",
        "The example says what it does not take. Correct that where the data comes from; it is sent by itself then. "
        "An address on the account's do-not-send list stays refused until it is taken off there, in Klaviyo.",
    ),
    "invalid_email": (
        "Klaviyo does not accept the e-mail address",
        "Correct the address in the shop; the member is sent by itself then. Re-running it unchanged is refused again.",
    ),
    "invalid_phone_number": (
        "Klaviyo does not accept the phone number",
        "It must be international, such as +447911123456. Correct it in the shop; it is sent by itself then.",
    ),
    "duplicate_profile": (
        "Two profiles in Klaviyo have this e-mail or phone",
        "In Klaviyo: open one of the two profiles → Merge. Then re-run these.",
    ),
    "payload_too_large": (
        "More than Klaviyo takes for one member",
        "Shorten the longest fields, or map fewer of them.",
    ),
    "unknown_profile": (
        "The profile was merged or deleted in Klaviyo",
        "It is made anew when the person is sent again: re-run these.",
    ),
}  # fmt: skip
