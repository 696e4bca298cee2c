"""The difference of list membership: who joins by the list call, who leaves. Works on the plan table.

Only members that we put on a list are ever taken off it; who was *found* there stays. A list that is being
unlinked counts as one of nobody: all whom we put on it leave, whatever else is set for it.
"""

from typing import Any

from integrations.gateway import registry
from integrations.gateway.values import BatchKind
from integrations.models import SyncBatch, SyncRun


def plan_joins(cursor: Any, run: SyncRun, lane: str, *, with_riders: bool) -> int:
    """Batches for joiners by the list call; returns how many memberships.

    `with_riders`: also for those whose profile goes by a single call, which takes nobody onto a list.
    """
    cursor.execute(
        """
        SELECT mapping_id, array_agg(member_id ORDER BY member_id)
        FROM plan CROSS JOIN unnest(mapping_ids) AS mapping_id
        WHERE hold = '' AND (NOT rides OR %s)
        GROUP BY mapping_id ORDER BY mapping_id
        """,
        [with_riders],
    )
    return sum(
        _write(cursor, run, lane, BatchKind.JOINS, mapping_id, part)
        for mapping_id, member_ids in cursor.fetchall()
        for part in _parts(run, member_ids)
    )


def plan_leaves(cursor: Any, run: SyncRun, lane: str, ids: list[int]) -> int:
    """Batches for those of `ids` who no longer belong to the audience of a list that we put them on."""
    cursor.execute(
        """
        SELECT sm.mapping_id, array_agg(sm.member_id ORDER BY sm.member_id)
        FROM integrations_sentmembership sm
        JOIN integrations_audiencemapping mp ON mp.id = sm.mapping_id
        WHERE mp.extension_id = %s AND mp.list_id <> '' AND mp.problem = ''
          AND sm.origin = 'added' AND sm.in_flight IS NULL AND sm.member_id = ANY(%s::bigint[])
          AND (mp.ending_at IS NOT NULL OR (mp.remove_leavers AND NOT mp.is_paused AND NOT EXISTS (
              SELECT 1 FROM loyalty_audiencemember am
              WHERE am.audience_id = mp.audience_id AND am.member_id = sm.member_id AND am.left_at IS NULL
          )))
        GROUP BY sm.mapping_id ORDER BY sm.mapping_id
        """,
        [run.extension_id, ids],
    )
    return sum(
        _write(cursor, run, lane, BatchKind.LEAVES, mapping_id, part)
        for mapping_id, member_ids in cursor.fetchall()
        for part in _parts(run, member_ids)
    )


def write_joins(cursor: Any, run: SyncRun, lane: str, mapping_id: int, member_ids: list[int]) -> None:
    """Batches that take these members onto one list."""
    for part in _parts(run, member_ids):
        _write(cursor, run, lane, BatchKind.JOINS, mapping_id, part)


def _parts(run: SyncRun, member_ids: list[int]) -> list[list[int]]:
    size = registry.get(run.extension.destination).limits.ids_per_list_call
    return [member_ids[start : start + size] for start in range(0, len(member_ids), size)]


def _write(
    cursor: Any, run: SyncRun, lane: str, kind: BatchKind, mapping_id: int, member_ids: list[int]
) -> int:
    """One batch, and the memberships marked as in flight, so that nobody plans them again."""
    batch = SyncBatch.objects.create(
        run=run,
        extension_id=run.extension_id,
        lane=lane,
        kind=kind,
        mapping_ids=[mapping_id],
        member_ids=member_ids,
        rows=len(member_ids),
    )
    cursor.execute(
        """
        INSERT INTO integrations_sentmembership (mapping_id, member_id, origin, in_flight, is_leaving, since)
        SELECT %s, id, 'added', %s, %s, now() FROM unnest(%s::bigint[]) AS id
        ON CONFLICT (mapping_id, member_id)
        DO UPDATE SET in_flight = EXCLUDED.in_flight, is_leaving = EXCLUDED.is_leaving
        """,
        [mapping_id, batch.pk, kind is BatchKind.LEAVES, member_ids],
    )
    return len(member_ids)
