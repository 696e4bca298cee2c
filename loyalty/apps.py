from django.apps import AppConfig
from typing_extensions import override


class LoyaltyConfig(AppConfig):
    name = "loyalty"
    verbose_name = "Programme"

    @override
    def ready(self) -> None:
        from auditlog.registry import auditlog

        from loyalty import models

        auditlog.register(models.Tier)
        auditlog.register(models.Audience, exclude_fields=["refreshed_at"])
