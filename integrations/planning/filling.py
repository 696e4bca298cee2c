"""Batches of profiles, filled up over the chunks of a plan, so that the fewest calls carry the most people."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection

from integrations.gateway import registry
from integrations.gateway.values import BatchKind
from integrations.models import BatchState, SyncBatch, SyncRun
from integrations.planning import memberships

FILLING = datetime(9999, 1, 1, tzinfo=UTC)  # not-before of a batch that the next chunk may fill up


def write(cursor: Any, run: SyncRun, kind: BatchKind, *, lane: str, fills: bool) -> int:
    """Batches for what is to be pushed, and the mark that its members are in flight."""
    lists = "'{}'::bigint[]" if kind is BatchKind.SINGLES else "mapping_ids"
    cursor.execute(
        f"SELECT {lists}, array_agg(member_id ORDER BY member_id) FROM plan WHERE rides GROUP BY 1 ORDER BY 1"
    )
    pushed = 0
    for mapping_ids, member_ids in cursor.fetchall():
        pushed += len(member_ids)
        left = member_ids
        while left:
            batch, left = _fill(run, kind, mapping_ids, left, lane=lane, fills=fills)
            _mark_in_flight(cursor, batch)
    return pushed


def _fill(
    run: SyncRun,
    kind: BatchKind,
    mapping_ids: list[int],
    member_ids: list[int],
    *,
    lane: str,
    fills: bool,
) -> tuple[SyncBatch, list[int]]:
    """Put members into the batch that still has room, or into a new one; return it and who is left."""
    size = registry.get(run.extension.destination).limits.profiles_per_job
    batch = None
    if fills:
        filling = SyncBatch.objects.filter(run=run, kind=kind, state=BatchState.PLANNED, not_before=FILLING)
        batch = filling.filter(mapping_ids=mapping_ids).first()
    batch = batch or SyncBatch(
        run=run, extension_id=run.extension_id, lane=lane, kind=kind, mapping_ids=mapping_ids
    )
    room = size - len(batch.member_ids)
    batch.member_ids = [*batch.member_ids, *member_ids[:room]]
    batch.rows = len(batch.member_ids)
    batch.not_before = FILLING if fills and batch.rows < size else None
    batch.save()
    return batch, member_ids[room:]


def _mark_in_flight(cursor: Any, batch: SyncBatch) -> None:
    cursor.execute(
        """
        UPDATE integrations_sentprofile SET in_flight = %s, due_at = NULL
        WHERE extension_id = %s AND member_id = ANY(%s::bigint[]) AND in_flight IS DISTINCT FROM %s
        """,
        [batch.pk, batch.extension_id, batch.member_ids, batch.pk],
    )


def close(run: SyncRun, *, lane: str, singles_up_to: int) -> None:
    """Everybody was looked at: batches that were kept open for more go now. In a transaction.

    Where all of them together are few, they go one by one, and join their lists by the list call.
    """
    planned = SyncBatch.objects.filter(run=run, kind=BatchKind.PROFILES, state=BatchState.PLANNED)
    filling = list(planned.filter(not_before=FILLING))
    if sum(batch.rows for batch in planned) > singles_up_to:
        planned.filter(not_before=FILLING).update(not_before=None)
        return
    with connection.cursor() as cursor:
        for batch in filling:
            for mapping_id in batch.mapping_ids:
                memberships.write_joins(cursor, run, lane, mapping_id, batch.member_ids)
            batch.kind, batch.mapping_ids, batch.not_before = BatchKind.SINGLES, [], None
            batch.save(update_fields=["kind", "mapping_ids", "not_before"])
