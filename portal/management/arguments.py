"""What commands are given by name: a tenant, its connections. A wrong name ends with exit status 2."""

from django.core.management.base import CommandError

from integrations.models import Extension
from portal.tenancy.models import Tenant

USAGE = 2


def tenant_named(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None:
        return tenant
    known = ", ".join(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:50]) or "none yet"
    raise CommandError(f"There is no tenant “{slug}”. Known tenants: {known}.", returncode=USAGE)


def extensions_of(tenant: Tenant, name: str | None, *, active: bool = False) -> list[Extension]:
    """The connection of that name, or all of the tenant; with `active` those that are switched on."""
    found = Extension.objects.for_tenant(tenant).select_related("tenant").order_by("name")
    if name is not None:
        named = list(found.filter(name=name))
        if named:
            return named
        known = ", ".join(found.values_list("name", flat=True)) or "none yet"
        raise CommandError(
            f"{tenant.slug} has no connection “{name}”. Known connections: {known}.", returncode=USAGE
        )
    all_of_them = list(found.active() if active else found)
    if not all_of_them:
        what = "No connection of {} is switched on." if active else "{} has no connection yet."
        raise CommandError(what.format(tenant.slug) + " Apply a configuration or connect on the pages first.")
    return all_of_them
