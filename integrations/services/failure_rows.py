"""The rows of one cause of open failures: a page of them, and all of them for a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrations.models import Delivery, DeliveryState, Extension, SentProfile, SyncBatch, SyncRow, Verdict
from integrations.services import failure_desk
from integrations.services.failure_desk import Standing
from integrations.services.run_history import Page


@dataclass(frozen=True)
class Line:
    row: SyncRow
    standing: Standing
    next_words: str


def page(extension: Extension, code: str, *, before: int | None = None, size: int = 50) -> Page[Line]:
    """Newest first, each with its tries; four queries."""
    found = failure_desk.open_rows(extension, code).select_related("member", "run")
    found = found.defer("run__mappings", "run__member_ids", "run__delivery_ids")
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk")[: size + 1])
    return Page(_lines(extension, rows[:size]), rows[size - 1].pk if len(rows) > size else None)


def everything(extension: Extension, code: str) -> Iterator[SyncRow]:
    """Streamed, oldest first, with their members."""
    found = failure_desk.open_rows(extension, code).select_related("member")
    return found.order_by("pk").iterator(chunk_size=2000)


def _lines(extension: Extension, rows: Sequence[SyncRow]) -> list[Line]:
    members = [row.member_id for row in rows if row.delivery_id is None]
    of_members = SentProfile.objects.filter(extension=extension, member__in=members)
    of_members = of_members.only("member_id", "failures", "due_at", "not_before", "in_flight")
    profiles = {profile.member_id: profile for profile in of_members}
    deliveries = Delivery.objects.select_related("event").in_bulk(
        [row.delivery_id for row in rows if row.delivery_id]
    )
    batches = dict(
        SyncBatch.objects.filter(pk__in=[row.batch_id for row in rows]).values_list("pk", "attempts")
    )
    lines = []
    for row in rows:
        tried = batches.get(row.batch_id or 0, 1)
        standing = (
            _of_event(deliveries.get(row.delivery_id), tried)
            if row.delivery_id
            else _of_profile(profiles.get(row.member_id), tried)
        )
        lines.append(
            Line(
                row,
                standing,
                failure_desk.next_words(extension, standing, is_refused=row.verdict == Verdict.REJECTED),
            )
        )
    return lines


def _of_profile(profile: SentProfile | None, tried: int) -> Standing:
    if profile is None:
        return Standing(max(tried, 1))
    times = [moment for moment in (profile.due_at, profile.not_before) if moment]
    next_at = max(times) if profile.due_at else None
    return Standing(max(profile.failures, tried, 1), next_at, int(profile.in_flight is not None))


def _of_event(delivery: Delivery | None, tried: int) -> Standing:
    if delivery is None or delivery.state not in (DeliveryState.OPEN, DeliveryState.SENDING):
        return Standing(max(tried, 1))
    is_moving = delivery.state == DeliveryState.SENDING
    # Open without a time: the next look takes it, which may have begun already.
    next_at = delivery.not_before or delivery.event.created_at
    return Standing(max(tried, 1), next_at, int(is_moving))
