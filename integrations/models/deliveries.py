"""One outbox event on its way to one connection."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from integrations.models.extensions import Extension
from loyalty.models import OutboxEvent


class DeliveryState(models.TextChoices):
    OPEN = "open", "Waiting"
    SENDING = "sending", "On its way"
    SENT = "sent", "Arrived"
    REJECTED = "rejected", "Refused"
    FAILED = "failed", "Gave up"
    HELD = "held", "Held"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def open(self) -> "DeliveryQuerySet":
        return self.filter(state=DeliveryState.OPEN)


class Delivery(models.Model):
    """`member_id` repeats the event's member, so that a member's deliveries stay in order by index."""

    id = models.BigAutoField(primary_key=True)
    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="deliveries")
    member_id = models.BigIntegerField()
    history = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.OPEN)
    not_before = models.DateTimeField(null=True)
    batch = models.ForeignKey(
        "integrations.SyncBatch", on_delete=models.SET_NULL, null=True, related_name="deliveries"
    )
    code = models.CharField(max_length=60, blank=True, default="")
    words = models.CharField(max_length=500, blank=True, default="")
    settled_at = models.DateTimeField(null=True)

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["extension", "event"], name="delivery_once")]
        indexes = [
            models.Index(
                fields=["extension", "event"],
                name="delivery_open",
                condition=Q(state__in=["open", "sending"]),
            ),
            models.Index(
                fields=["extension", "member_id", "event"],
                name="delivery_order",
                condition=Q(state__in=["open", "sending"]),
            ),
            models.Index(
                fields=["extension", "event"], name="delivery_news", condition=Q(state="open", history=False)
            ),
            models.Index(fields=["member_id", "-id"], name="delivery_of_member"),
            models.Index(
                fields=["extension", "settled_at"], name="delivery_arrived", condition=Q(state="sent")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.extension}"
