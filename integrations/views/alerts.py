"""Settings: who is told of trouble, and what was told."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from integrations.forms_alerts import AlertForm
from integrations.models import Incident
from integrations.services import alert_settings
from portal.tenancy import pace
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role

SHOWN = 20


@never_cache  # the answer to a first webhook shows its secret
@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def alerts(request: TenantRequest) -> HttpResponse:
    wanted = alert_settings.of(request.tenant)
    form = AlertForm(request.POST or None, instance=wanted)
    made = ""
    if request.method == "POST" and form.is_valid():
        made = alert_settings.save(
            form.save(commit=False), form.cleaned_data["addresses"], new_secret="new_secret" in request.POST
        )
        if not made:
            messages.success(request, "Stored. From now on trouble is told as you said.")
            return redirect("alerts", request.tenant.slug)
    told = Incident.objects.filter(extension__tenant=request.tenant).select_related("extension", "run")
    context = {
        "form": form,
        "made": made,
        "has_secret": bool(wanted.webhook_secret),
        "recipients": alert_settings.emails(wanted),
        "incidents": told.prefetch_related("messages")[:SHOWN],
    }
    return render(request, "integrations/alerts.html", context)


@require_POST
@tenant_view(role=Role.MANAGER)
def alerts_test(request: TenantRequest) -> HttpResponse:
    if not pace.may(f"alerts-test-{request.tenant.pk}", seconds=60):
        messages.warning(
            request, "A test went out less than a minute ago. Look whether it came, or wait a minute."
        )
        return redirect("alerts", request.tenant.slug)
    failed = alert_settings.send_test(request.tenant)
    for sentence in failed:
        messages.error(request, sentence)
    if not failed:
        messages.success(request, "The test went out. Look whether it came.")
    return redirect("alerts", request.tenant.slug)
