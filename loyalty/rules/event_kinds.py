"""The kinds of happenings, with what each one tells. One schema serves the code, the pages and the docs.

Payload names are those a merchant reads in Klaviyo's flow editor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class PayloadField:
    name: str
    type: str  # text, number or datetime
    sample: object
    help: str = ""


@dataclass(frozen=True)
class EventKind:
    """`metric` is its usual name in Klaviyo; a mapping may give it another."""

    key: str
    label: str
    metric: str
    help: str
    fields: tuple[PayloadField, ...]

    @property
    def sample(self) -> dict[str, object]:
        return {field.name: field.sample for field in self.fields}


_WHO_WHEN = (
    PayloadField("Member Id", "text", "C-1001", "The merchant's own id of the member."),
    PayloadField("Occurred At", "datetime", "2026-03-01T09:30:00Z"),
)
_POINTS = (
    PayloadField("Balance", "number", 1240, "Points after this."),
    PayloadField("Reason", "text", "Order 1001"),
    PayloadField("Order Id", "text", "1001", "Where the entry names an order."),
    PayloadField("Transaction Id", "text", "17", "The entry in the points ledger."),
)
_TIERS = (
    PayloadField("Previous Tier", "text", "Silver", "Missing where there was none."),
    PayloadField("Current Tier", "text", "Gold", "Missing where there is none now."),
    PayloadField("Balance", "number", 1240),
    PayloadField("Lifetime Points", "number", 3100),
    PayloadField("Reason", "text", "Points earned"),
)

KINDS: dict[str, EventKind] = {
    kind.key: kind
    for kind in (
        EventKind(
            "points_earned",
            "Points earned",
            "Points Earned",
            "Points came in.",
            (
                PayloadField("Points", "number", 120, "How many came in."),
                *_POINTS,
                PayloadField("Expires At", "datetime", "2027-03-01T09:30:00Z", "Where these points expire."),
                *_WHO_WHEN,
            ),
        ),
        EventKind(
            "points_redeemed",
            "Points redeemed",
            "Points Redeemed",
            "Points were spent.",
            (PayloadField("Points", "number", 500, "How many were spent."), *_POINTS, *_WHO_WHEN),
        ),
        EventKind(
            "points_adjusted",
            "Points adjusted",
            "Points Adjusted",
            "A balance was corrected.",
            (
                PayloadField("Points", "number", -20, "The change, negative where points were taken."),
                *_POINTS,
                *_WHO_WHEN,
            ),
        ),
        EventKind(
            "member_joined",
            "Joined the programme",
            "Joined Loyalty Program",
            "A person became a member.",
            (PayloadField("Source", "text", "api", "Where the portal heard of it."), *_WHO_WHEN),
        ),
        EventKind(
            "tier_achieved",
            "Tier achieved",
            "Tier Achieved",
            "A member reached a higher tier.",
            (PayloadField("Tier", "text", "Gold", "The tier that was reached."), *_TIERS, *_WHO_WHEN),
        ),
        EventKind(
            "tier_lost",
            "Tier lost",
            "Tier Lost",
            "A member fell to a lower tier.",
            (PayloadField("Tier", "text", "Gold", "The tier that was lost."), *_TIERS, *_WHO_WHEN),
        ),
    )
}
_NAMES = {key: frozenset(field.name for field in kind.fields) for key, kind in KINDS.items()}


def payload(kind: str, values: Mapping[str, object]) -> dict[str, object]:
    """What an event of this kind tells, ready for JSON: times as ISO text in UTC, nothing unknown."""
    unknown = values.keys() - _NAMES[kind]
    if unknown:
        raise ValueError(f"{kind} tells nothing named {', '.join(sorted(unknown))}.")
    return {name: _told(value) for name, value in values.items() if value is not None and value != ""}


def iso(moment: datetime) -> str:
    """A time as 2026-03-01T09:30:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _told(value: object) -> object:
    return iso(value) if isinstance(value, datetime) else value


def kind_label(kind: str) -> str:
    """What people call it; a kind of an older version keeps its key."""
    return KINDS[kind].label if kind in KINDS else kind
