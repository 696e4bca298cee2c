"""Events on their way: from the outbox to deliveries, and from deliveries to batches, set-based.

A member's events keep their order: a delivery is taken only when no earlier one of the same member is
still on its way.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from integrations.gateway import registry
from integrations.gateway.values import BatchKind
from integrations.models import Delivery, DeliveryState, Extension, SyncBatch, SyncRun

ROUTE_AT_ONCE = 20_000
HISTORY_AT_ONCE = 50_000
ORDER_LOCK = 1_802_661_751  # the first key of the advisory lock of a connection's planner …
ROUTE_LOCK = 1_802_661_752  # … and of a tenant's router


@transaction.atomic
def route(tenant_id: int) -> int:
    """Give each new outbox event of the tenant one delivery per active connection; return how many events.

    One router at a time: of two, the one with the later events could be seen first, and a planner would
    turn a member's order round. An event that no connection wants is routed all the same.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ROUTE_LOCK, tenant_id])
        cursor.execute(
            """
            WITH taken AS (
                SELECT id FROM loyalty_outboxevent
                WHERE tenant_id = %s AND routed_at IS NULL
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            ), marked AS (
                UPDATE loyalty_outboxevent o SET routed_at = now() FROM taken WHERE o.id = taken.id
                RETURNING o.id, o.member_id, o.kind, o.history, o.created_at
            ), given AS (
                INSERT INTO integrations_delivery
                    (extension_id, event_id, member_id, history, state, code, words)
                SELECT e.id, m.id, m.member_id, m.history OR m.created_at < e.active_since, 'open', '', ''
                FROM marked m
                JOIN integrations_extension e ON e.tenant_id = %s AND e.is_active AND e.events_enabled
                WHERE (e.events_since IS NULL OR m.created_at >= e.events_since)
                  AND NOT EXISTS (
                      SELECT 1 FROM integrations_eventmapping em
                      WHERE em.extension_id = e.id AND em.kind = m.kind AND NOT em.is_enabled
                  )
                ON CONFLICT (extension_id, event_id) DO NOTHING
            )
            SELECT count(*) FROM marked
            """,
            [tenant_id, ROUTE_AT_ONCE, tenant_id],
        )
        return int(cursor.fetchone()[0])


def add_history(extension: Extension, before: datetime) -> int:
    """Deliveries, as history, for older events that this connection was never told.

    At most HISTORY_AT_ONCE of them; returns how many, so that the caller comes again until there are fewer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_delivery (extension_id, event_id, member_id, history, state, code, words)
            SELECT %s, o.id, o.member_id, true, 'open', '', ''
            FROM loyalty_outboxevent o
            WHERE o.tenant_id = %s AND o.routed_at IS NOT NULL AND o.created_at < %s
              AND (%s::timestamptz IS NULL OR o.created_at >= %s)
              AND NOT EXISTS (
                  SELECT 1 FROM integrations_eventmapping em
                  WHERE em.extension_id = %s AND em.kind = o.kind AND NOT em.is_enabled
              )
              AND NOT EXISTS (
                  SELECT 1 FROM integrations_delivery d WHERE d.extension_id = %s AND d.event_id = o.id
              )
            ORDER BY o.id LIMIT %s
            ON CONFLICT (extension_id, event_id) DO NOTHING
            """,
            [
                extension.pk,
                extension.tenant_id,
                before,
                extension.events_since,
                extension.events_since,
                extension.pk,
                extension.pk,
                HISTORY_AT_ONCE,
            ],
        )
        return int(cursor.rowcount)


def members_with_news(extension_id: int, limit: int) -> list[int]:
    """Members to whom something happened just now, which must not wait behind other people's history."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT member_id FROM (
                SELECT member_id FROM integrations_delivery
                WHERE extension_id = %s AND state = 'open' AND NOT history
                  AND (not_before IS NULL OR not_before <= now())
                ORDER BY event_id LIMIT %s
            ) AS news
            """,
            [extension_id, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def plan_deliveries(
    run: SyncRun,
    *,
    lane: str,
    limit: int,
    singles_up_to: int,
    before: datetime | None = None,
    only: Sequence[int] | None = None,
    members: Sequence[int] | None = None,
) -> int:
    """Put open deliveries into batches of the run, oldest first; return how many. In a transaction.

    `before` leaves out events that came later, `only` narrows to some deliveries, `members` to those of some
    people. Where existing profiles are left alone, an event waits until its member's profile was looked at,
    because the event would create the profile and hide who did. A member's events go in one batch, or wait
    for it.
    """
    waits = run.extension.merge_policy == "skip_existing"
    with connection.cursor() as cursor:
        # One planner at a time: two would not see each other's rows and could turn a member's order round.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ORDER_LOCK, run.extension_id])
        cursor.execute(
            """
            SELECT d.id, d.member_id FROM integrations_delivery d JOIN loyalty_outboxevent o ON o.id = d.event_id
            WHERE d.extension_id = %s AND d.state = 'open' AND (d.not_before IS NULL OR d.not_before <= now())
              AND (%s::timestamptz IS NULL OR o.created_at < %s)
              AND (%s::bigint[] IS NULL OR d.id = ANY(%s::bigint[]))
              AND (%s::bigint[] IS NULL OR d.member_id = ANY(%s::bigint[]))
              AND NOT EXISTS (
                  SELECT 1 FROM integrations_delivery earlier
                  WHERE earlier.extension_id = d.extension_id AND earlier.member_id = d.member_id
                    AND earlier.event_id < d.event_id
                    AND (earlier.state = 'sending' OR (earlier.state = 'open' AND earlier.not_before > now()))
              )
              AND (NOT %s OR EXISTS (
                  SELECT 1 FROM integrations_sentprofile sp
                  WHERE sp.extension_id = d.extension_id AND sp.member_id = d.member_id AND sp.verdict <> ''
              ))
            ORDER BY d.event_id LIMIT %s FOR UPDATE OF d SKIP LOCKED
            """,
            [
                run.extension_id,
                before,
                before,
                _array(only),
                _array(only),
                _array(members),
                _array(members),
                waits,
                limit,
            ],
        )
        found = cursor.fetchall()
    if len(found) <= singles_up_to:
        _write(run, lane, BatchKind.SINGLE_EVENTS, [pk for pk, _ in found])
        return len(found)
    size = registry.get(run.extension.destination).limits.events_per_call
    parts = _parts(found, size)
    for part in parts:
        _write(run, lane, BatchKind.EVENTS, part)
    return sum(map(len, parts))


def _parts(found: Sequence[tuple[int, int]], size: int) -> list[list[int]]:
    """Deliveries of at most `size` a part; whose member is in an earlier part are left for the next plan.

    Batches are sent side by side: were a member in two of them, the second could overtake the first.
    """
    parts: list[list[int]] = []
    part_of: dict[int, int] = {}
    for pk, member_id in found:
        if not parts or len(parts[-1]) == size:
            parts.append([])
        if part_of.setdefault(member_id, len(parts)) == len(parts):
            parts[-1].append(pk)
    return [part for part in parts if part]


def _array(ids: Sequence[int] | None) -> list[int] | None:
    return None if ids is None else list(ids)


def _write(run: SyncRun, lane: str, kind: BatchKind, ids: list[int]) -> None:
    if not ids:
        return
    batch = SyncBatch.objects.create(
        run=run, extension_id=run.extension_id, lane=lane, kind=kind, delivery_ids=ids, rows=len(ids)
    )
    Delivery.objects.filter(pk__in=ids).update(state=DeliveryState.SENDING, batch=batch, not_before=None)
