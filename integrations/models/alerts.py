"""Messages about trouble: what a tenant wants to be told, what is wrong now, what was told to whom."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from integrations.models.extensions import Extension
from integrations.models.runs import SyncRun
from portal.tenancy.models import Tenant
from portal.tenancy.secrets import EncryptedTextField


class AlertSettings(models.Model):
    """Where a tenant's alerts go, and from when on something is worth one. Without a row: the owners, defaults."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="alert_settings")
    emails = ArrayField(models.EmailField(), verbose_name="e-mail addresses", default=list, blank=True)
    webhook_url = models.URLField("webhook", max_length=500, blank=True, default="")
    webhook_secret = EncryptedTextField(null=True, blank=True, editable=False)
    failed_share = models.PositiveSmallIntegerField(
        "per cent of a run that may fail",
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Per cent of a run's rows that may fail before you are told.",
    )
    quiet_hours = models.PositiveSmallIntegerField(
        "hours in which nothing may arrive",
        default=24,
        validators=[MaxValueValidator(720)],
        help_text="Hours in which nothing arrived, although something waited. 0: never.",
    )
    even_if_idle = models.BooleanField(
        "also when nothing waited",
        default=False,
        help_text="A shop that stopped sending its data to the portal shows like this.",
    )
    tells_recovery = models.BooleanField("say when it is right again", default=True)

    class Meta:
        verbose_name_plural = "alert settings"
        constraints = [
            models.CheckConstraint(condition=Q(failed_share__range=(1, 100)), name="alert_share_per_cent")
        ]

    def __str__(self) -> str:
        return f"Alerts of {self.tenant}"

    def get_additional_data(self) -> dict[str, int]:
        return {"tenant_id": self.tenant_id}


class IncidentKind(models.TextChoices):
    RUN_FAILED = "run_failed", "A run failed"
    MANY_FAILED = "many_failed", "Many rows of a run failed"
    NOTHING_ARRIVES = "nothing_arrives", "Nothing arrives"
    CONNECTION_LOST = "connection_lost", "Connection lost"


class IncidentQuerySet(models.QuerySet["Incident"]):
    def open(self) -> "IncidentQuerySet":
        return self.filter(closed_at=None)


class Incident(models.Model):
    """Something that went wrong and is told once; closed when it is right again, which is told too."""

    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=20, choices=IncidentKind)
    run = models.ForeignKey(SyncRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    words = models.CharField(max_length=500)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[IncidentQuerySet] = IncidentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["extension", "kind"], condition=Q(closed_at=None), name="incident_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.extension}"


class AlertChannel(models.TextChoices):
    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook"


class AlertMessage(models.Model):
    """One message of an incident to one address, kept until it went out: the outbox of alerts."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="messages")
    uid = models.UUIDField(unique=True)
    is_recovery = models.BooleanField(default=False)
    channel = models.CharField(max_length=7, choices=AlertChannel)
    target = models.CharField(max_length=500)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=500, blank=True, default="", help_text="Why it did not go out.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "is_recovery", "channel", "target"], name="alert_message_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                name="alert_message_open",
                condition=Q(sent_at=None, given_up_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.target}"
