from django.apps import AppConfig
from django.db.models.signals import post_migrate
from typing_extensions import override


class TenancyConfig(AppConfig):
    name = "portal.tenancy"
    label = "tenancy"
    verbose_name = "People"

    @override
    def ready(self) -> None:
        from portal.tenancy.groups import keep_groups

        post_migrate.connect(keep_groups, dispatch_uid="portal.tenancy.groups")
