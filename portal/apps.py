from django.apps import AppConfig
from typing_extensions import override


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Portal"

    @override
    def ready(self) -> None:
        from portal import admin_site, checks  # noqa: F401  (checks registers itself)

        admin_site.discover()
