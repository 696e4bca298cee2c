"""What the queue calls: each finds its own work, and may be lost, run twice or cut short."""

from datetime import datetime

from django.utils import timezone

from loyalty.models import PointsLot
from loyalty.services import audiences, ledger, tiers
from portal.runtime.queue import enqueue
from portal.tenancy.models import Tenant


def expire_points() -> str:
    """Queue one task for each tenant with points whose time has come."""
    due = PointsLot.objects.filter(remaining__gt=0, expires_at__lte=timezone.now())
    ids = sorted(due.values_list("member__tenant_id", flat=True).order_by().distinct())
    for tenant_id in ids:
        enqueue("loyalty.tasks.expire_tenant_points", tenant_id, lane="bulk")
    return f"{len(ids)} tenants"


def expire_tenant_points(tenant_id: int) -> str:
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    return "gone" if tenant is None else f"{ledger.expire_due(tenant, timezone.now())} lots"


def begin_days() -> str:
    """Queue the day's work of each tenant where a day has begun within the last hour."""
    ids = [tenant.pk for tenant in Tenant.objects.order_by("pk") if day_begins(tenant, timezone.now())]
    for tenant_id in ids:
        enqueue("loyalty.tasks.begin_tenant_day", tenant_id, lane="bulk")
    return f"{len(ids)} tenants"


def day_begins(tenant: Tenant, now: datetime) -> bool:
    return now.astimezone(tenant.zone).hour == 0


def begin_tenant_day(tenant_id: int) -> str:
    """Refresh what changes with the calendar: audiences by date; and set any tier right that lags behind."""
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        return "gone"
    moved = tiers.reevaluate(tenant, reason="Daily check")
    counts = audiences.refresh(tenant)
    return f"{moved} moved, {counts.joined} joined, {counts.left} left"
