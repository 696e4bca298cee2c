"""Every address of the portal, by who uses it."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from portal import demo_people, views
from portal.admin_site import site
from portal.api import api, unknown_address
from portal.tenancy.views.signing_in import LogIn

urlpatterns: list[URLPattern | URLResolver] = [
    # Machines that watch
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    # Staff and support
    path("admin/", site.urls),
    # Programs: ingestion and runs
    path("api/v1/", api.urls),
    re_path(r"^api/v1/", unknown_address),
    # Merchants
    path("login/", LogIn.as_view(extra_context={"demo_people": demo_people.offered}), name="login"),
    path("", include("portal.tenancy.urls")),
    path("", include("loyalty.urls")),
    path("", include("integrations.urls")),
]

handler403 = "portal.error_pages.forbidden"
handler404 = "portal.error_pages.not_found"
handler500 = "portal.error_pages.broken"
