"""The clock: once a second, by one process per database, everything that is due by time is woken.

The least recently served lanes go first, so that no tenant starves another.
"""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from integrations.models import Extension, Lane
from integrations.services import claims, lanes, sync
from portal.runtime import queue

# A ticket that nobody took for so long is lost, unless tasks of its lane still wait in the queue.
TICKET_LOST_SECONDS = 30
TICKET_LOST_IN_CROWD_SECONDS = 300


def tick() -> None:
    """Once a second, by one process per database: free leases of the dead, queue all that is due."""
    now = timezone.now()
    _forget_lost_tickets(claims.free_silent(), now)
    _start_due_runs(now)
    for extension_id, name in _due_lanes():
        lanes.send_ticket(extension_id, name)


def _forget_lost_tickets(fallen: set[str], now: datetime) -> None:
    """A killed cluster takes with it what it had claimed from the queue; the queue itself would wait for minutes."""
    ticketed = Lane.objects.filter(tickets__gt=0)
    ticketed.filter(name__in=fallen).update(tickets=0)
    old = ticketed.filter(ticketed_at__lt=now - timedelta(seconds=TICKET_LOST_SECONDS))
    if not old.exists():
        return
    for name, depth in queue.depth().items():
        limit = TICKET_LOST_IN_CROWD_SECONDS if depth.claimable else TICKET_LOST_SECONDS
        old.filter(name=name, ticketed_at__lt=now - timedelta(seconds=limit)).update(tickets=0)


def _due_lanes() -> list[tuple[int, str]]:
    """Lanes with work now and no task in the queue, least recently served first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.extension_id, l.name
            FROM integrations_lane l JOIN integrations_extension e ON e.id = l.extension_id
            WHERE l.tickets = 0 AND (l.lease_until IS NULL OR l.lease_until < now() OR l.name = 'bulk')
              AND e.is_active AND e.health <> 'attention'
              AND (
                EXISTS (
                    SELECT 1 FROM integrations_syncbatch b
                    WHERE b.extension_id = e.id AND b.lane = l.name
                      AND b.state IN ('planned', 'sending', 'accepted', 'settling')
                      AND (b.not_before IS NULL OR b.not_before <= now())
                      AND (b.lease_until IS NULL OR b.lease_until < now())
                )
                OR (l.name = 'bulk' AND EXISTS (
                    SELECT 1 FROM integrations_syncrun r
                    WHERE r.extension_id = e.id AND r.kind <> 'live'
                      AND r.status IN ('queued', 'running', 'waiting')
                      AND (r.not_before IS NULL OR r.not_before <= now())
                ) AND (l.lease_until IS NULL OR l.lease_until < now()))
                OR (l.name = 'live' AND (
                    l.nudged
                    OR EXISTS (SELECT 1 FROM loyalty_dirtymember d WHERE d.tenant_id = e.tenant_id)
                    OR EXISTS (
                        SELECT 1 FROM loyalty_outboxevent o WHERE o.tenant_id = e.tenant_id AND o.routed_at IS NULL
                    )
                    OR e.events_enabled AND EXISTS (
                        SELECT 1 FROM integrations_delivery v
                        WHERE v.extension_id = e.id AND v.state = 'open'
                          AND (v.not_before IS NULL OR v.not_before <= now())
                    )
                    OR EXISTS (
                        SELECT 1 FROM integrations_sentprofile s
                        WHERE s.extension_id = e.id AND s.due_at IS NOT NULL AND s.in_flight IS NULL
                          AND (s.not_before IS NULL OR s.not_before <= now())
                    )
                    OR EXISTS (
                        SELECT 1 FROM integrations_erasure x
                        WHERE x.extension_id = e.id AND x.done_at IS NULL
                          AND (x.not_before IS NULL OR x.not_before <= now())
                    )
                    OR EXISTS (
                        SELECT 1 FROM integrations_syncrun r
                        WHERE r.extension_id = e.id AND r.kind = 'live' AND r.status = 'running'
                          AND r.hour < date_trunc('hour', now()) AND NOT EXISTS (
                              SELECT 1 FROM integrations_syncbatch b
                              WHERE b.run_id = r.id AND b.state IN ('planned', 'sending', 'accepted', 'settling')
                          )
                    )
                ))
              )
            ORDER BY l.served_at NULLS FIRST, l.id LIMIT 200
            """
        )
        return [(extension_id, name) for extension_id, name in cursor.fetchall()]


def _start_due_runs(now: datetime) -> None:
    """A look at everybody where the whole tenant was marked, and once a day after the tenant's midnight."""
    for extension in Extension.objects.working().select_related("tenant").filter(full_due_at__lte=now):
        sync.start_full_due(extension)
    for extension in Extension.objects.working().select_related("tenant"):
        today = now.astimezone(extension.tenant.zone).date()
        if extension.daily_full_on is None or extension.daily_full_on < today:
            sync.start_daily(extension, today)
