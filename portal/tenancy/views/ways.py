"""The way to one's tenant."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from portal.tenancy.guards import LAST_TENANT, VISIT
from portal.tenancy.models import Tenant, User


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the tenant used last, or the only one; else a chooser; staff without one go to the admin."""
    user = request.user
    assert isinstance(user, User)
    tenants = list(Tenant.objects.filter(memberships__user=user))
    last = request.session.get(LAST_TENANT)
    chosen = [tenant for tenant in tenants if tenant.slug == last] or tenants
    if len(chosen) == 1:
        return redirect("overview", slug=chosen[0].slug)
    if not tenants and user.is_staff:
        return redirect("admin:index")
    return render(request, "tenancy/home.html", {"tenants": tenants})


@login_required
def tenants(request: HttpRequest) -> HttpResponse:
    """All tenants that this person may open."""
    user = request.user
    assert isinstance(user, User)
    may_visit = user.is_staff and user.has_perm(VISIT)
    found = Tenant.objects.all() if may_visit else Tenant.objects.filter(memberships__user=user)
    return render(request, "tenancy/home.html", {"tenants": list(found[:500])})
