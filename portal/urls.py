"""Every address of the portal, by who uses it."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path, re_path

from portal import demo_people, views
from portal.admin_site import site
from portal.tenancy.views import LogIn


def _section(route: str, module: str) -> list[URLPattern | URLResolver]:
    """Include a section's addresses when the section is there."""
    return [path(route, include(module))] if find_spec(module) else []


def _api() -> list[URLPattern | URLResolver]:
    if not find_spec("loyalty.api.members"):
        return []
    from portal.api import api, unknown_address

    return [path("api/v1/", api.urls), re_path(r"^api/v1/", unknown_address)]


urlpatterns: list[URLPattern | URLResolver] = [
    # Machines that watch
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    # Staff and support
    path("admin/", site.urls),
    # Programs: ingestion and runs
    *_api(),
    # Klaviyo calls back
    *_section("", "integrations.klaviyo.urls"),
    # Merchants
    path("login/", LogIn.as_view(extra_context={"demo_people": demo_people.offered}), name="login"),
    *_section("", "portal.tenancy.urls"),
    *_section("", "loyalty.urls"),
    *_section("", "integrations.urls"),
]

handler403 = "portal.error_pages.forbidden"
handler404 = "portal.error_pages.not_found"
handler500 = "portal.error_pages.broken"
