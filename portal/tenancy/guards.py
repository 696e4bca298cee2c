"""The door of every merchant page: who is asking, for which tenant, and in which role."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from portal.tenancy.models import ROLE_ORDER, Membership, Role, Tenant, User
from portal.tenancy.two_factor import codes

P = ParamSpec("P")
VISIT = "tenancy.view_tenant"
LAST_TENANT = "tenant"


class TenantRequest(HttpRequest):
    """What a guarded view gets: `tenant` is settled, `role` is what this person may do there."""

    user: User
    tenant: Tenant
    membership: Membership | None
    role: Role
    is_visiting: bool


GuardedView = Callable[Concatenate[TenantRequest, P], HttpResponseBase]


def can(role: Role, wanted: Role) -> bool:
    """Whether `role` is worth at least `wanted`."""
    return ROLE_ORDER.index(role) >= ROLE_ORDER.index(wanted)


def tenant_view(*, role: Role = Role.VIEWER) -> Callable[[GuardedView[P]], Callable[..., HttpResponseBase]]:
    """Decorator: resolve `slug` to request.tenant, in one query for merchants.

    Nobody signed in: to the log-in page. Not of this tenant, or no such tenant: 404. A weaker role: 403.
    Staff who may view tenants come in as viewers, marked by `request.is_visiting`.
    """

    def decorate(view: GuardedView[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: TenantRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not _is_signed_in(request):
                return _to_login(request)
            _settle(request, slug)
            if not can(request.role, role):
                raise PermissionDenied(f"Your role here is {request.role.label}; this takes {role.label}.")
            if request.session.get(LAST_TENANT) != slug:
                request.session[LAST_TENANT] = slug
            with timezone.override(request.tenant.zone):
                return view(request, *args, **kwargs)

        guarded.tenant_role = role  # type: ignore[attr-defined]  # read by the tests of every address
        return guarded

    return decorate


def frame_of_last_tenant(request: HttpRequest) -> None:
    """For a person's own pages: draw the navigation of the tenant used last, where they still belong to it."""
    last = request.session.get(LAST_TENANT)
    found = (
        Membership.objects.select_related("tenant")
        .filter(user=cast(User, request.user), tenant__slug=last)
        .first()
    )
    if found is not None:
        request.tenant, request.role = found.tenant, Role(found.role)  # type: ignore[attr-defined]


def _settle(request: TenantRequest, slug: str) -> None:
    membership = (
        Membership.objects.select_related("tenant").filter(user=request.user, tenant__slug=slug).first()
    )
    request.membership = membership
    request.is_visiting = membership is None
    if membership is not None:
        request.tenant, request.role = membership.tenant, Role(membership.role)
        return
    if not (request.user.is_staff and request.user.has_perm(VISIT)):
        raise Http404("There is nothing at this address.")
    if codes.is_owed(request.user):
        raise PermissionDenied("Staff set up two-factor sign-in first, in their profile.")
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise Http404("There is nothing at this address.")
    request.tenant, request.role = tenant, Role.VIEWER


def _to_login(request: HttpRequest) -> HttpResponseBase:
    """A fragment asked for by a page that outlived its session sends the whole page to the log-in."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path())


def _is_signed_in(request: HttpRequest) -> bool:
    return request.user.is_authenticated
