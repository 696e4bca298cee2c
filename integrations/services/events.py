"""Events: many in one call, or a few one by one in the order they happened.

The balance of the moment is in the event's properties; a live event also carries the values of now, so
that a mail it starts is never behind. History and late events carry identifiers only.
"""

import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from integrations.errors import DestinationError, RowsRejected, TooLarge
from integrations.gateway import registry
from integrations.gateway.port import Channel
from integrations.gateway.values import IDENTIFIERS, BatchKind, EventWrite, ProfileWrite
from integrations.models import BatchState, Delivery, Extension, SentProfile, SyncBatch, Verdict
from integrations.planning import desired, merge
from integrations.planning.manifest import Row
from integrations.services import bodies, claims, composing, settle, singles
from loyalty.models import OutboxEvent
from loyalty.rules.event_kinds import KINDS


@dataclass
class ComposedEvent:
    row: Row
    write: EventWrite | None = None


def send(batch: SyncBatch, channel: Channel) -> None:
    """One call for all. The answer is the destination's last word; repeats are dropped there by uid."""
    if batch.body is None:
        _pack(batch)
    rows, lines = bodies.load_living(batch)
    began = time.monotonic()
    sizes = [len(lines)]  # a part that is refused without names becomes two, in the same order
    while lines:
        if time.monotonic() - began > singles.LONGEST:
            claims.release(batch, counts=False)
            return
        claims.renew(batch)
        size = sizes.pop()
        part = [row for row in rows if row.is_pending][:size]
        try:
            channel.submit(BatchKind.EVENTS, bodies.pack(batch, lines[:size]))
        except (RowsRejected, TooLarge) as error:
            left = _without_refused(part, lines[:size], error)
            sizes += [size - size // 2, size // 2] if left is None else [len(left)] if left else []
            lines = (lines[:size] if left is None else left) + lines[size:]
        else:
            for row in part:
                row.verdict = Verdict.SENT
            lines = lines[size:]
        bodies.store(batch, rows, lines)
    settle.settle(batch, rows)


def _without_refused(
    part: list[Row], lines: list[bytes], error: RowsRejected | TooLarge
) -> list[bytes] | None:
    """Set the refused rows aside and return the lines of the others; None: it is not known which they are.

    The halves stay in this batch, one after the other: two batches would turn a member's order round.
    """
    if isinstance(error, RowsRejected):
        rest = bodies.set_aside(part, lines, error.refusals)
        if rest is not None:
            return rest
    if len(part) > 1:
        return None
    part[0].refuse(error.code, error.words)
    return []


def _pack(batch: SyncBatch) -> None:
    destination = registry.get(batch.extension.destination)
    composed = compose(batch)
    lines = [destination.encode_event(item.write) for item in composed if item.write is not None]
    bodies.store(batch, [item.row for item in composed], lines)


def send_singly(batch: SyncBatch, channel: Channel) -> None:
    """One call each. Where a member's event must wait, the member's later ones wait behind it."""
    if batch.state == BatchState.PLANNED:
        batch.state = BatchState.SENDING
        claims.owned(batch).update(state=batch.state)
    composed = compose(batch)
    again: list[Row] = []
    error: DestinationError | None = None
    streak, began = 0, time.monotonic()
    for item in composed:
        waits = any(row.member_id == item.row.member_id for row in again)
        if item.write is None:
            continue
        if waits or streak >= singles.STREAK or time.monotonic() - began > singles.LONGEST:
            again.append(item.row)
            continue
        claims.renew(batch)
        try:
            channel.send_event(item.write)
            streak = 0
        except RowsRejected as refused:
            refusal = refused.refusals[0] if refused.refusals else refused
            item.row.refuse(refusal.code, refusal.words)
        except TooLarge as refused:
            item.row.refuse(refused.code, refused.words)
        except singles.STOPS_ALL as failure:
            again.append(item.row)
            error, streak = failure, singles.STREAK
        except DestinationError as failure:
            again.append(item.row)
            error, streak = failure, streak + 1
    left = set(map(id, again))
    singles.finish(batch, [item.row for item in composed if id(item.row) not in left], again, error)


def compose(batch: SyncBatch) -> list[ComposedEvent]:
    """Rows and writes of the batch's deliveries, oldest first, with the profile values of now."""
    extension = batch.extension
    deliveries = list(
        Delivery.objects.filter(pk__in=batch.delivery_ids, batch=batch)
        .select_related("event")
        .order_by("event_id")
    )
    member_ids = {delivery.member_id for delivery in deliveries}
    documents = desired.of(extension, member_ids)
    created = dict(
        SentProfile.objects.filter(extension=extension, member_id__in=member_ids).values_list(
            "member_id", "created_by_us"
        )
    )
    metrics = metric_names(extension)
    policies = composing.policies_of(extension)
    return [
        _compose_one(
            delivery, *documents[delivery.member_id], metrics, policies, created.get(delivery.member_id)
        )
        for delivery in deliveries
        if delivery.member_id in documents
    ]


def metric_names(extension: Extension) -> dict[str, str]:
    """The metric of each kind: the usual name, unless the mapping gives another."""
    usual = {kind.key: kind.metric for kind in KINDS.values()}
    return usual | {row.kind: row.metric for row in extension.event_mappings.all()}


def bare_rows(batch: SyncBatch) -> list[Row]:
    """Rows of a batch that was never composed, for when it is given up."""
    deliveries = Delivery.objects.filter(pk__in=batch.delivery_ids).values_list("pk", "member_id")
    return [Row(member_id=member_id, delivery_id=pk, action="event") for pk, member_id in deliveries]


def _compose_one(
    delivery: Delivery,
    document: dict[str, object],
    hold: str,
    metrics: dict[str, str],
    policies: merge.Policies,
    created_by_us: bool | None,
) -> ComposedEvent:
    event = delivery.event
    metric = metrics.get(event.kind, event.kind)
    row = Row(member_id=delivery.member_id, delivery_id=delivery.pk, action="event", what=metric[:200])
    row.email, row.phone = str(document.get("email", "")), str(document.get("phone", ""))
    row.external_id = str(document.get("external_id", ""))
    if hold:
        row.hold(hold, desired.HOLD_WORDS[hold])
        return ComposedEvent(row)
    late = timezone.now() - event.occurred_at > timedelta(hours=settings.LATE_EVENT_AFTER_HOURS)
    history = delivery.history or late
    profile = profile_of(
        document, policies, only_names=history or (policies.skips_existing and not created_by_us)
    )
    return ComposedEvent(row, write_of(event, metric, profile, history=history))


def write_of(event: OutboxEvent, metric: str, profile: ProfileWrite, *, history: bool = False) -> EventWrite:
    """An event of the programme as it is told; of an event that is not stored too, for a sample."""
    return EventWrite(
        uid=str(event.uid),
        metric=metric,
        occurred_at=event.occurred_at,
        properties=event.properties,
        profile=profile,
        history=history,
    )


def profile_of(document: dict[str, object], policies: merge.Policies, *, only_names: bool) -> ProfileWrite:
    """Whom the event is about, and what is ours to say of them without reading first."""
    flat = merge.flatten(document)
    names = {key: flat[key] for key in IDENTIFIERS if flat.get(key) is not None}
    if policies.of("phone") != "overwrite" and "email" in names:
        names.pop("phone", None)  # the number there may be another, and is theirs to keep
    if only_names:
        return ProfileWrite(values=names)
    ours = {key: value for key, value in flat.items() if policies.of(key) == "overwrite"}
    return ProfileWrite(
        values=names
        | {key: value for key, value in ours.items() if not key.startswith(".") and key not in IDENTIFIERS},
        properties={key[1:]: value for key, value in ours.items() if key.startswith(".")},
    )
