"""What did not arrive, by cause: what each means, what to do about it, who it is; and running it again."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from integrations.errors import DestinationError
from integrations.models import Extension
from integrations.rerun_forms import CauseRerunForm
from integrations.services import cause_reruns, failure_desk, failure_rows, run_history
from integrations.views.runs import number
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role


@require_safe
@tenant_view()
def failures(request: TenantRequest) -> HttpResponse:
    page = min(number(request.GET.get("page")) or 0, 1000)
    found = failure_desk.causes(failure_desk.Wanted(page=page), tenant=request.tenant)
    is_held = request.GET.get("held") == "1"
    context = {
        "found": found,
        "page": page,
        "next_page": page + 1 if found.has_more else None,
        "held": failure_desk.held(request.tenant) if is_held else None,
        "has_several": Extension.objects.for_tenant(request.tenant).active().count() > 1,
    }
    return render(request, "integrations/failures.html", context)


@require_safe
@tenant_view()
def failure(request: TenantRequest, extension_id: int) -> HttpResponse:
    """One cause, and the people who have it."""
    extension = get_object_or_404(_extensions(request), pk=extension_id)
    code = request.GET.get("code", "")[:60]
    before = number(request.GET.get("before"))
    page = failure_rows.page(extension, code, before=before)
    context = {
        "extension": extension,
        "code": code,
        "cause": failure_desk.one(extension.pk, code),
        "advice": failure_desk.advice(extension, code),
        "rows": page.items,
        "before": before,
        "next_key": page.next_key,
    }
    return render(request, "integrations/failure.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def rerun(request: TenantRequest, extension_id: int) -> HttpResponse:
    """Says what will happen, in numbers; then one POST makes one run."""
    extension = get_object_or_404(_extensions(request), pk=extension_id)
    code = request.GET.get("code", "")[:60]
    form = CauseRerunForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            made = cause_reruns.create(extension, code, user=request.user, reason=reason)
        except DestinationError as error:
            form.add_error(None, error.words)
        else:
            messages.success(request, f"Run #{made.pk} is on its way.")
            return redirect("run", request.tenant.slug, made.pk)
    context = {
        "extension": extension,
        "code": code,
        "advice": failure_desk.advice(extension, code),
        "outlook": cause_reruns.outlook(extension, code),
        "name": run_history.destination_name(extension),
        "form": form,
    }
    return render(request, "integrations/failure_rerun.html", context)


def _extensions(request: TenantRequest) -> QuerySet[Extension]:
    return Extension.objects.for_tenant(request.tenant).defer("secret", "refresh_token")
