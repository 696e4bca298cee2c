"""The engine's panels on the index of the admin."""

from datetime import timedelta

from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils import timezone

from integrations.admin.support_desk import cause_address
from integrations.models import AudienceMapping, Erasure, Extension, Health, SyncRun
from integrations.services import failure_desk, run_history, run_stories
from portal.admin_site import Panel, site

AT_MOST = 8


@site.panel(10)
def attention(request: HttpRequest) -> Panel | None:
    """Connections, lists and erasures that wait for a person."""
    if not request.user.has_perm("integrations.view_syncrun"):
        return None
    active = Extension.objects.active().filter(health=Health.ATTENTION)
    sick = active.select_related("tenant").defer("secret", "refresh_token").order_by("health_since")[:AT_MOST]
    lists = AudienceMapping.objects.exclude(problem="").filter(extension__is_active=True, is_paused=False)
    late = timezone.now() - timedelta(hours=1)
    values = {
        "connections": list(sick),
        "lists": list(
            lists.select_related("extension__tenant").defer("extension__secret", "extension__refresh_token")[
                :AT_MOST
            ]
        ),
        "erasures": Erasure.objects.filter(done_at=None, requested_at__lt=late).count(),
        "may_open": request.user.has_perm("integrations.view_extension"),
    }
    return Panel("Needs attention now", "admin/panels/attention.html", values, wide=True)


@site.panel(20)
def failures(request: HttpRequest) -> Panel | None:
    if not request.user.has_perm("integrations.view_syncrow"):
        return None
    desk = failure_desk.causes()
    causes = [(cause, cause_address(cause.extension.pk, cause.code)) for cause in desk.causes[:AT_MOST]]
    values = {"causes": causes, "totals": failure_desk.totals() if causes else {}}
    return Panel("Open failures by cause", "admin/panels/failures.html", values)


@site.panel(30)
def running(request: HttpRequest) -> Panel | None:
    if not request.user.has_perm("integrations.view_syncrun"):
        return None
    now = timezone.now()
    found = run_history.runs().filter(pk__in=SyncRun.objects.open().jobs().values("pk"))[:AT_MOST]
    jobs = [(run, run_stories.progress(run, now)) for run in found]
    return Panel("Running jobs", "admin/panels/running.html", {"jobs": jobs})


@site.panel(40)
def busiest(request: HttpRequest) -> Panel | None:
    if not request.user.has_perm("integrations.view_syncrun"):
        return None
    since = timezone.now() - timedelta(days=1)
    found = (
        SyncRun.objects.filter(created_at__gte=since)
        .order_by()
        .values("extension__tenant__name", "extension__tenant__slug")
        .annotate(arrived=Sum("sent"), calls_made=Sum("calls"), runs=Count("pk"))
        .order_by("-arrived")[:AT_MOST]
    )
    return Panel("Busiest programmes, last 24 hours", "admin/panels/busiest.html", {"tenants": list(found)})
