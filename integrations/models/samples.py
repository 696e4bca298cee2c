"""How things stood, once a minute: for the charts of the overview. Kept for some days."""

from django.db import models

from integrations.models.extensions import Extension


class RateSample(models.Model):
    """How much of its permitted rate an account's busiest endpoint used in one minute.

    `pool` is what the keys of its buckets begin with. Minutes without any call have no row.
    """

    pool = models.CharField(max_length=150)
    minute = models.DateTimeField()
    used = models.PositiveSmallIntegerField(help_text="Per cent of the calls that were ours to make.")
    calls = models.PositiveIntegerField(help_text="Of all endpoints together.")
    is_blocked = models.BooleanField(default=False, help_text="The destination asked us to wait.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "minute"], name="rate_sample_once")]
        indexes = [models.Index(fields=["minute"], name="rate_sample_age")]

    def __str__(self) -> str:
        return f"{self.pool}: {self.used} %"


class FreshnessSample(models.Model):
    """How many changes had not arrived yet in one minute, and for how long the oldest of them waited."""

    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="+")
    minute = models.DateTimeField()
    waiting = models.PositiveBigIntegerField()
    oldest_seconds = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["extension", "minute"], name="freshness_sample_once")]
        indexes = [models.Index(fields=["minute"], name="freshness_sample_age")]

    def __str__(self) -> str:
        return f"{self.waiting} wait, the oldest for {self.oldest_seconds} s"
