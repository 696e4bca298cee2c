from django.apps import AppConfig
from django.db.models.signals import post_migrate
from typing_extensions import override


class TenancyConfig(AppConfig):
    name = "portal.tenancy"
    label = "tenancy"
    verbose_name = "People"

    @override
    def ready(self) -> None:
        from auditlog.registry import auditlog

        from portal.tenancy import models
        from portal.tenancy.groups import keep_groups

        auditlog.register(models.User, exclude_fields=["password", "last_login"])
        auditlog.register(models.Tenant)
        auditlog.register(models.Membership)
        auditlog.register(models.ApiToken, exclude_fields=["digest", "last_used_at"])
        auditlog.register(models.Invitation, exclude_fields=["digest"])
        auditlog.register(models.AuthenticatorDevice, include_fields=["user", "confirmed"])

        post_migrate.connect(keep_groups, dispatch_uid="portal.tenancy.groups")
