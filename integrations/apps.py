from django.apps import AppConfig
from typing_extensions import override

# What the engine writes at every step is history of its own, not a change of settings.
ENGINE_FIELDS = [
    "health",
    "health_reason",
    "health_since",
    "checked_at",
    "full_due_at",
    "full_due_reason",
    "daily_full_on",
    "granted_scopes",
    "token_expires_at",
    "refreshed_at",
    "refresh_lease_until",
    "removed_at",
]
READING_FIELDS = ["read_at", "read_cursor", "problem", "numbers", "numbers_at"]


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Connections"

    @override
    def ready(self) -> None:
        from auditlog.registry import auditlog

        from integrations import models
        from integrations.services import run_history
        from loyalty import member_filters

        member_filters.register("not_arrived", "Did not arrive", run_history.members_not_arrived)

        auditlog.register(models.Extension, exclude_fields=ENGINE_FIELDS)
        auditlog.register(models.FieldMapping)
        auditlog.register(models.EventMapping)
        auditlog.register(models.AudienceMapping, exclude_fields=READING_FIELDS)
        auditlog.register(
            models.AlertSettings,
            exclude_fields=["webhook_secret"],
            mask_fields=["webhook_url"],
            mask_callable="integrations.services.alert_settings.outline",
        )
        auditlog.register(models.Dismissal, exclude_fields=["by", "rows"])
