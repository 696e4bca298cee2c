"""Forgetting: history older than the settings say goes, in chunks that lock little."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from integrations.models import Extension, SyncRun
from integrations.models.runs import OPEN_STATUSES

CHUNK = 5_000

# What goes, by name: the setting of its age, the table, and which of its rows when the limit is %s.
RULES: tuple[tuple[str, str, str, str], ...] = (
    (
        "batches",
        "KEEP_SENT_ROWS_DAYS",
        "integrations_syncbatch",
        "state IN ('settled', 'dead') AND settled_at < %s AND NOT EXISTS "
        "(SELECT 1 FROM integrations_delivery d WHERE d.batch_id = integrations_syncbatch.id)",
    ),
    (
        "deliveries",
        "KEEP_OUTBOX_DAYS",
        "integrations_delivery",
        "state NOT IN ('open', 'sending') AND settled_at < %s",
    ),
    (
        "events",
        "KEEP_OUTBOX_DAYS",
        "loyalty_outboxevent",
        "routed_at < %s AND NOT EXISTS "
        "(SELECT 1 FROM integrations_delivery d WHERE d.event_id = loyalty_outboxevent.id)",
    ),
    (
        "alerts",
        "KEEP_RUNS_DAYS",
        "integrations_alertmessage",
        "created_at < %s AND (sent_at IS NOT NULL OR given_up_at IS NOT NULL) AND EXISTS "
        "(SELECT 1 FROM integrations_incident i WHERE i.id = incident_id AND i.closed_at IS NOT NULL)",
    ),
    (
        "incidents",
        "KEEP_RUNS_DAYS",
        "integrations_incident",
        "closed_at < %s AND NOT EXISTS "
        "(SELECT 1 FROM integrations_alertmessage m WHERE m.incident_id = integrations_incident.id)",
    ),
)
# Rows, whose age a tenant may set: the portal's setting, the tenant's field, and which rows.
ROW_RULES: tuple[tuple[str, str, str, str], ...] = (
    ("sent rows", "KEEP_SENT_ROWS_DAYS", "keep_sent_rows_days", "verdict = 'sent'"),
    ("other rows", "KEEP_OTHER_ROWS_DAYS", "keep_other_rows_days", "verdict <> 'sent'"),
)
OF_RUNS = "run_id IN (SELECT r.id FROM integrations_syncrun r WHERE r.extension_id = ANY(%s::bigint[]))"


def prune() -> dict[str, int]:
    """Delete what is too old; return how many rows of each sort went."""
    now = timezone.now()
    gone = {name: _delete_rows(now, days, own, which) for name, days, own, which in ROW_RULES}
    for name, days, table, condition in RULES:
        gone[name] = _delete(table, condition, now - timedelta(days=getattr(settings, days)))
    gone["runs"] = _delete_runs(now - timedelta(days=settings.KEEP_RUNS_DAYS))
    gone["marks"] = _delete_idle_marks()
    return gone


def _delete_rows(now: datetime, setting: str, own: str, which: str) -> int:
    """Rows of tenants with an age of their own by that age, all others by the portal's."""
    apart: dict[int, list[int]] = {}
    chosen = Extension.objects.exclude(**{f"tenant__{own}": None}).values_list("pk", f"tenant__{own}")
    for extension_id, days in chosen:
        apart.setdefault(days, []).append(extension_id)
    all_apart = [pk for extension_ids in apart.values() for pk in extension_ids]
    condition = f"{which} AND created_at < %s"
    default = now - timedelta(days=getattr(settings, setting))
    gone = _delete("integrations_syncrow", f"{condition} AND NOT {OF_RUNS}", default, all_apart)
    for days, extension_ids in apart.items():
        limit = now - timedelta(days=days)
        gone += _delete("integrations_syncrow", f"{condition} AND {OF_RUNS}", limit, extension_ids)
    return gone


def _delete(table: str, condition: str, *values: datetime | list[int]) -> int:
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {condition} LIMIT {CHUNK})",
                list(values),
            )
            total += int(cursor.rowcount)
            if cursor.rowcount < CHUNK:
                return total


def _delete_runs(limit: datetime) -> int:
    old = SyncRun.objects.filter(created_at__lt=limit).exclude(status__in=OPEN_STATUSES)
    return old.delete()[1].get("integrations.SyncRun", 0)


def _delete_idle_marks() -> int:
    """Marks of tenants without an active connection: switching one on looks at everybody anyway."""
    return _delete(
        "loyalty_dirtymember",
        "NOT EXISTS (SELECT 1 FROM integrations_extension e WHERE e.is_active AND "
        "e.tenant_id = loyalty_dirtymember.tenant_id) AND %s::timestamptz IS NOT NULL",
        timezone.now(),
    )
