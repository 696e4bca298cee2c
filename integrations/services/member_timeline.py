"""Everything that happened to one person, in one line of time, newest first; and their events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from integrations.models import Delivery, DeliveryState, EventMapping, SyncRow
from integrations.models.runs import Action
from integrations.services import run_history, run_stories
from integrations.services.member_standing import Standing
from loyalty.models import Member
from loyalty.rules.event_kinds import KINDS, kind_label
from portal import wording

LATEST = 50
EVENTS = 25


@dataclass(frozen=True)
class Moment:
    """One thing that happened: `sort` names the kind of thing, `look` a badge, `run_id` the run that tells more."""

    at: datetime
    sort: str
    look: str
    words: str
    more: str = ""
    run_id: int | None = None


@dataclass(frozen=True)
class EventLine:
    delivery: Delivery
    label: str
    metric: str
    words: str
    run_id: int | None

    @property
    def is_stuck(self) -> bool:
        return self.delivery.state in (DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.HELD)


STATES = {
    DeliveryState.OPEN: "Waiting",
    DeliveryState.SENDING: "On its way",
    DeliveryState.SENT: "Arrived",
    DeliveryState.REJECTED: "Refused",
    DeliveryState.FAILED: "Gave up",
    DeliveryState.HELD: "Held back",
}


def events(standing: Standing) -> list[EventLine]:
    """The person's latest events on their way to this connection; two queries."""
    found = (
        Delivery.objects.filter(extension=standing.extension, member_id=standing.member.pk)
        .select_related("event", "batch")
        .defer(
            "event__properties", "batch__body", "batch__manifest", "batch__member_ids", "batch__delivery_ids"
        )
        .order_by("-pk")[:EVENTS]
    )
    names = dict(EventMapping.objects.filter(extension=standing.extension).values_list("kind", "metric"))
    return [_event(delivery, names) for delivery in found]


def _event(delivery: Delivery, names: dict[str, str]) -> EventLine:
    kind = delivery.event.kind
    usual = KINDS[kind].metric if kind in KINDS else kind
    return EventLine(
        delivery,
        kind_label(kind),
        names.get(kind, usual),
        STATES[DeliveryState(delivery.state)],
        delivery.batch.run_id if delivery.batch else None,
    )


def moments(member: Member, lines: list[EventLine]) -> list[Moment]:
    """The newest LATEST of all; six queries, each for that many at most."""
    sources = (
        _points(member),
        _tiers(member),
        _joins(member),
        _leaves(member),
        _consents(member),
        _rows(member),
    )
    told = iter(sorted(_deliveries(lines), key=lambda moment: moment.at, reverse=True))
    every = merge(*sources, told, key=lambda moment: moment.at, reverse=True)
    return list(islice(every, LATEST))


def _points(member: Member) -> Iterator[Moment]:
    for entry in member.points_entries.order_by("-occurred_at", "-pk")[:LATEST]:
        words = f"{entry.get_kind_display()}: {entry.points:+,} points, {entry.balance_after:,} in all"
        yield Moment(entry.occurred_at, "Points", "quiet", words, entry.reason)


def _tiers(member: Member) -> Iterator[Moment]:
    changes = member.tier_changes.select_related("before", "after").order_by("-changed_at", "-pk")
    for change in changes[:LATEST]:
        words = f"{change.before or 'No tier'} → {change.after or 'no tier'}"
        yield Moment(change.changed_at, "Tier", "quiet", words, change.reason)


def _joins(member: Member) -> Iterator[Moment]:
    stays = member.audience_memberships.select_related("audience").order_by("-joined_at", "-pk")
    for stay in stays[:LATEST]:
        yield Moment(stay.joined_at, "Audience", "quiet", f"Joined {stay.audience.name}")


def _leaves(member: Member) -> Iterator[Moment]:
    stays = member.audience_memberships.select_related("audience").filter(left_at__isnull=False)
    for stay in stays.order_by("-left_at", "-pk")[:LATEST]:
        yield Moment(stay.left_at or stay.joined_at, "Audience", "quiet", f"Left {stay.audience.name}")


def _consents(member: Member) -> Iterator[Moment]:
    for consent in member.consents.order_by("-given_at", "-pk")[:LATEST]:
        words = f"{consent.get_channel_display()} marketing {consent.get_status_display().lower()}"
        yield Moment(consent.given_at, "Consent", "quiet", words, f"source: {consent.source}")


def _rows(member: Member) -> Iterator[Moment]:
    """What runs did with the profile and the lists; events are told by their deliveries."""
    found = SyncRow.objects.filter(member=member, delivery_id=None).select_related("run__extension")
    shown = found.defer(*(f"run__{name}" for name in run_history.HEAVY)).order_by("-pk")
    for row in sorted(shown[:LATEST], key=lambda row: row.created_at, reverse=True):
        name = run_history.destination_name(row.run.extension)
        what = f": {Action(row.action).label.lower()}" if row.action else ""
        what += f", {row.what}" if row.what else ""
        yield Moment(
            row.created_at, "Sync", row.verdict, run_stories.verdict_words(row.verdict, name) + what,
            row.words.removeprefix("Held: ") or _changed(row), row.run_id,
        )  # fmt: skip


def _changed(row: SyncRow) -> str:
    names = [change.property.removeprefix(".") for change in run_stories.changes(row.changes)]
    if not names:
        return ""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{wording.counted(len(names), 'change')}: {', '.join(names[:4])}{more}"


def _deliveries(lines: list[EventLine]) -> Iterator[Moment]:
    for line in lines:
        at = line.delivery.settled_at or line.delivery.event.occurred_at
        words = f"{line.words}: {line.metric}"
        yield Moment(at, "Event", line.delivery.state, words, line.delivery.words, line.run_id)
