"""Addresses that are named already and built in the next commits."""

from django.http import Http404, HttpResponse

from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role


@tenant_view()
def page(request: TenantRequest, /, **parameters: int | str) -> HttpResponse:
    raise Http404("There is nothing at this address.")


@tenant_view(role=Role.MANAGER)
def change(request: TenantRequest, /, **parameters: int | str) -> HttpResponse:
    raise Http404("There is nothing at this address.")
