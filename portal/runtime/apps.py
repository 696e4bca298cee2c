from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class RuntimeConfig(AppConfig):
    name = "portal.runtime"
    label = "runtime"
    verbose_name = "System"

    def ready(self) -> None:
        from portal.runtime import queue, schedules, tether

        post_migrate.connect(schedules.after_migrate, sender=self, dispatch_uid="runtime.schedules")
        if settings.QUEUE_LANE:
            tether.hold_children()
        if settings.QUEUE_BEAT_DIR:
            queue.beat_into(Path(settings.QUEUE_BEAT_DIR))
