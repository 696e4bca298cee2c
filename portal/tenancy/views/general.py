"""Settings of the tenant itself, and who changed what."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from portal.tenancy import changes
from portal.tenancy.guards import TenantRequest, can, tenant_view
from portal.tenancy.models import Role
from portal.tenancy.settings_forms import GeneralForm


@require_safe
@tenant_view()
def tenant_settings(request: TenantRequest) -> HttpResponse:
    return _page(request, GeneralForm(instance=request.tenant))


@require_http_methods(["GET", "POST"])
@tenant_view(role=Role.OWNER)
def change(request: TenantRequest) -> HttpResponse:
    form = GeneralForm(request.POST or None, instance=request.tenant)
    if not form.is_valid():
        request.tenant.refresh_from_db()  # the frame shows what is kept, not what was typed
        return _page(request, form)
    request.tenant.save(update_fields=form.changed_data)
    messages.success(request, "The settings are saved." if form.changed_data else "Nothing was changed.")
    return redirect("tenant_settings", slug=request.tenant.slug)


@require_safe
@tenant_view()
def history(request: TenantRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    found, following = changes.recent(
        request.tenant, before=int(before) if before.isdecimal() and len(before) < 16 else None
    )
    context = {"changes": found, "following": following, "before": before}
    return render(request, "tenancy/changes.html", context)


def _page(request: TenantRequest, form: GeneralForm) -> HttpResponse:
    context = {"form": form, "may_change": can(request.role, Role.OWNER)}
    return render(request, "tenancy/general.html", context)
