"""Who is alive: every process that takes work says so every few seconds."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Beats are compared by the database's clock, so that machines need not agree on the time."""

    def alive(self, now: datetime | None = None) -> "WorkerQuerySet":
        return self.filter(beat_at__gte=(now or Now()) - timedelta(seconds=settings.BEAT_STALE_SECONDS))

    def silent(self, now: datetime | None = None) -> "WorkerQuerySet":
        return self.filter(beat_at__lt=(now or Now()) - timedelta(seconds=settings.BEAT_STALE_SECONDS))

    def supervisors(self) -> "WorkerQuerySet":
        return self.filter(role="supervisor")


class Worker(models.Model):
    """A process that may own leases. A lease whose owner is silent is given to somebody else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    role = models.CharField(max_length=20, help_text="supervisor, live, bulk or command")
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    beat_at = models.DateTimeField()
    progress_at = models.DateTimeField(
        null=True, help_text="When a task under this supervisor last began or ended."
    )

    objects: ClassVar[WorkerQuerySet] = WorkerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-beat_at"]
        indexes = [models.Index(fields=["beat_at"], name="worker_beat")]

    def __str__(self) -> str:
        return f"{self.role} {self.host}:{self.pid}"
