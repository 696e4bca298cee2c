"""API tokens of a tenant: listed, made, shown once, revoked."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.tenancy import tokens
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role
from portal.tenancy.settings_forms import TokenForm

REVOKED_SHOWN = 20


@tenant_view(role=Role.MANAGER)
@require_safe
def api_tokens(request: TenantRequest) -> HttpResponse:
    found = request.tenant.api_tokens.select_related("issued_by")
    context = {
        "active": found.filter(revoked_at=None).order_by("name", "pk"),
        "revoked": found.exclude(revoked_at=None).order_by("-revoked_at")[:REVOKED_SHOWN],
        "portal_url": settings.PORTAL_URL,
    }
    return render(request, "tenancy/tokens.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@tenant_view(role=Role.MANAGER)
def create(request: TenantRequest) -> HttpResponse:
    """A new token. The answer is the one page that shows it: no session, message or log ever holds it."""
    form = TokenForm(request.POST or None)
    if not form.is_valid():
        return render(request, "tenancy/token_new.html", {"form": form})
    token, text = tokens.issue(request.tenant, form.cleaned_data["name"], by=request.user)
    context = {"token": token, "text": text, "portal_url": settings.PORTAL_URL}
    return render(request, "tenancy/token_made.html", context)


@require_http_methods(["GET", "POST"])
@tenant_view(role=Role.MANAGER)
def revoke(request: TenantRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(request.tenant.api_tokens, pk=token_id)
    if request.method != "POST":
        return render(request, "tenancy/token_revoke.html", {"token": token})
    if tokens.revoke(token):
        messages.success(request, f"“{token.name}” is revoked: calls with it are refused from now on.")
    else:
        messages.warning(request, f"“{token.name}” was revoked before.")
    return redirect("api_tokens", slug=request.tenant.slug)
