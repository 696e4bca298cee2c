"""What the queue calls: each finds its own work, and may be lost, run twice or cut short."""

import time
from datetime import datetime

from django.utils import timezone

from loyalty.models import PointsLot
from loyalty.services import audiences, ledger, tiers
from portal.runtime.queue import enqueue
from portal.tenancy.models import Tenant

# A task has 60 seconds; what takes longer goes on in another.
BUDGET_SECONDS = 20


def expire_points() -> str:
    """Queue one task for each tenant with points whose time has come."""
    due = PointsLot.objects.filter(remaining__gt=0, expires_at__lte=timezone.now())
    ids = sorted(due.values_list("member__tenant_id", flat=True).order_by().distinct())
    for tenant_id in ids:
        enqueue("loyalty.tasks.expire_tenant_points", tenant_id, lane="bulk")
    return f"{len(ids)} tenants"


def expire_tenant_points(tenant_id: int) -> str:
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        return "gone"
    return f"{ledger.expire_due(tenant, timezone.now(), seconds=BUDGET_SECONDS)} lots"


def begin_days() -> str:
    """Queue the day's work of each tenant whose present day has not had it yet, however late it is."""
    now = timezone.now()
    ids = [tenant.pk for tenant in Tenant.objects.order_by("pk") if day_begins(tenant, now)]
    for tenant_id in ids:
        enqueue("loyalty.tasks.begin_tenant_day", tenant_id, lane="bulk")
    return f"{len(ids)} tenants"


def day_begins(tenant: Tenant, now: datetime) -> bool:
    return tenant.day_begun_on is None or tenant.day_begun_on < now.astimezone(tenant.zone).date()


def begin_tenant_day(tenant_id: int) -> str:
    """Set right any tier that lags behind, and refresh the audiences, whose rules may look at the calendar.

    The day is noted at the end: work that is cut short is queued again within the hour.
    """
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    today = timezone.now().astimezone(tenant.zone).date() if tenant else None
    done = f"{move_tiers(tenant_id)}; {refresh_audiences(tenant_id)}"
    Tenant.objects.filter(pk=tenant_id).update(day_begun_on=today)
    return done


def move_tiers(tenant_id: int) -> str:
    """Put every member of a tenant on the tier that their points reach."""
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        return "gone"
    began = time.monotonic()
    moved = tiers.reevaluate(tenant, seconds=BUDGET_SECONDS)
    if time.monotonic() - began > BUDGET_SECONDS:
        enqueue("loyalty.tasks.move_tiers", tenant_id, lane="bulk")
    return f"{moved} moved"


def refresh_audiences(tenant_id: int) -> str:
    """Make every rule audience of a tenant hold whom its rule says."""
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        return "gone"
    counts = audiences.refresh(tenant, seconds=BUDGET_SECONDS)
    if not counts.is_complete:
        enqueue("loyalty.tasks.refresh_audiences", tenant_id, lane="bulk")
    return f"{counts.joined} joined, {counts.left} left"
