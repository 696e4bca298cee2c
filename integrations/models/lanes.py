"""The two lanes of a connection: live (seconds) and bulk (jobs)."""

from django.db import models

from integrations.models.extensions import Extension


class LaneName(models.TextChoices):
    LIVE = "live", "Live"
    BULK = "bulk", "Bulk"


class Lane(models.Model):
    """Whether there is something to look at, who looks, and how many tasks say so.

    `nudged` is set by whoever changed data and cleared by the worker before it reads. `tickets` counts
    tasks in the queue (two at most); `served_at` makes the least recently served go first.
    """

    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="lanes")
    name = models.CharField(max_length=4, choices=LaneName)
    nudged = models.BooleanField(default=False)
    tickets = models.PositiveSmallIntegerField(default=0)
    ticketed_at = models.DateTimeField(null=True)
    served_at = models.DateTimeField(null=True)
    owner = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["extension", "name"], name="lane_once"),
            models.CheckConstraint(condition=models.Q(tickets__lte=2), name="lane_two_tickets"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.extension_id}"
