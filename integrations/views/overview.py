"""A merchant's first page: does it arrive, and does anything need a person."""

from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from integrations.models import Extension, RunStatus, SyncRun
from integrations.services import run_history, run_stories
from loyalty.models import Member, MemberState
from portal import charts, wording
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Tenant


@require_safe
@tenant_view()
def overview(request: TenantRequest) -> HttpResponse:
    tenant = request.tenant
    days = run_history.days(tenant)
    recent = run_history.page_of_runs(tenant, size=5).items
    extensions = list(Extension.objects.for_tenant(tenant).defer("secret"))
    failures = run_history.open_failures(tenant).aggregate(people=Count("member", distinct=True))["people"]
    context = {
        "members": _members(tenant),
        "today": days[-1],
        "than_yesterday": _compared(days[-1].good - days[-2].good),
        "spark": charts.spark([day.good for day in days]),
        "failures": failures,
        "failed_run": _run_to_look_at(tenant) if failures else None,
        "name": run_history.destination_name(extensions[0]) if extensions else "",
        "extensions": [(extension, run_history.destination_name(extension)) for extension in extensions],
        "runs": [
            (run, run_stories.sentence(run, run_history.destination_name(run.extension))) for run in recent
        ],
        "chart": charts.days(days) if any(day.total for day in days) else None,
        "chart_words": _chart_words(days),
        "days": days[::-1],
    }
    return render(request, "integrations/overview.html", context)


def _compared(more: int) -> str:
    if not more:
        return "as many as yesterday"
    return f"{abs(more):,} {'more' if more > 0 else 'fewer'} than yesterday"


def _members(tenant: Tenant) -> dict[str, Any]:
    today = run_history.start_of(timezone.localdate(timezone=tenant.zone), tenant.zone)
    found = Member.objects.for_tenant(tenant).aggregate(
        count=Count("pk", filter=~Q(state=MemberState.CANDIDATE)),
        new=Count("pk", filter=~Q(state=MemberState.CANDIDATE) & Q(created_at__gte=today)),
        points=Sum("points_balance", default=0),
    )
    average = round(found["points"] / found["count"]) if found["count"] else 0
    return {**found, "average": average}


def _run_to_look_at(tenant: Tenant) -> SyncRun | None:
    """The newest run with something that did not arrive."""
    return (
        SyncRun.objects.for_tenant(tenant)
        .filter(Q(rejected__gt=0) | Q(failed__gt=0))
        .exclude(status=RunStatus.CANCELLED)
        .only("pk")
        .first()
    )


def _chart_words(days: list[charts.Day]) -> str:
    good, bad = sum(day.good for day in days), sum(day.bad for day in days)
    best = max(days, key=lambda day: day.good)
    if not good and not bad:
        return "Nothing was sent in the last 14 days."
    trouble = f"{bad:,} did not arrive" if bad else "nothing failed"
    most = f"The most on one day: {best.good:,} on {best.on.day} {best.on:%B}."
    return f"{wording.counted(good, 'change')} arrived in the last {len(days)} days; {trouble}. {most}"
