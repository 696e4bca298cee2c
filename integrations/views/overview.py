"""A merchant's first page: what needs a person, the first steps, and whether it all arrives."""

from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from integrations.models import Extension
from integrations.services import first_steps, freshness, needs, overview_charts, run_history, run_stories
from loyalty.models import Member, MemberState
from portal import charts, wording
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Tenant


@require_safe
@tenant_view()
def overview(request: TenantRequest) -> HttpResponse:
    tenant = request.tenant
    extensions = list(Extension.objects.for_tenant(tenant).defer("secret", "refresh_token"))
    failures = needs.failed_people(tenant)
    days = run_history.days(tenant)
    recent = run_history.page_of_runs(tenant, size=5).items
    context = {
        "needs": needs.of(tenant, extensions, failures),
        "steps": _open_steps(tenant),
        "members": _members(tenant),
        "today": days[-1],
        "than_yesterday": _compared(days[-1].good - days[-2].good),
        "spark": charts.spark([day.good for day in days]),
        "failures": failures,
        "connections": _connections(extensions),
        "runs": [
            (run, run_stories.sentence(run, run_history.destination_name(run.extension))) for run in recent
        ],
        "chart": charts.days(days) if any(day.total for day in days) else None,
        "chart_words": _chart_words(days),
        "days": days[::-1],
    }
    return render(request, "integrations/overview.html", context)


def _open_steps(tenant: Tenant) -> dict[str, Any] | None:
    """The checklist, until all of it is done; the first open step is the one to take next."""
    steps = first_steps.steps(tenant)
    done = sum(step.is_done for step in steps)
    if done == len(steps):
        return None
    following = next(step for step in steps if not step.is_done)
    return {"all": steps, "done": done, "next": following}


def _connections(extensions: list[Extension]) -> list[dict[str, Any]]:
    """Each connection with what waits for it, and the charts of the active one."""
    waits = freshness.waiting([extension.pk for extension in extensions])
    now = timezone.now()
    found = []
    for extension in extensions:
        name = run_history.destination_name(extension)
        waiting = waits[extension.pk]
        found.append(
            {
                "extension": extension,
                "name": name,
                "waiting": waiting,
                "waits_since": wording.duration(waiting.seconds(now)) if waiting.since else "",
                "charts": _charts(extension, name) if extension.is_active else [],
            }
        )
    return found


def _charts(extension: Extension, name: str) -> list[overview_charts.HourlyChart]:
    return [overview_charts.behind(extension, name), overview_charts.rate(extension, name)]


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


def _chart_words(days: list[charts.Day]) -> str:
    good, bad = sum(day.good for day in days), sum(day.bad for day in days)
    best = max(days, key=lambda day: day.good)
    if not good and not bad:
        return "Nothing was sent in the last 14 days."
    trouble = f"{bad:,} did not arrive" if bad else "nothing failed"
    most = f"The most on one day: {best.good:,} on {best.on.day} {best.on:%B}."
    return f"{wording.counted(good, 'change')} arrived in the last {len(days)} days; {trouble}. {most}"
