"""What a member allowed, per channel: history rows that are never overwritten."""

from django.db import models

from loyalty.models.members import Member


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    WHATSAPP = "whatsapp", "WhatsApp"


class ConsentStatus(models.TextChoices):
    GRANTED = "granted", "Granted"
    REVOKED = "revoked", "Revoked"


class ConsentRecord(models.Model):
    """One act of a member. The newest per channel holds; `Member.email_consent` caches it."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="consents", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel)
    status = models.CharField(max_length=10, choices=ConsentStatus)
    source = models.CharField(max_length=100)
    text_version = models.CharField(max_length=60, blank=True, default="")
    given_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(channel__in=Channel.values), name="consent_channel_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ConsentStatus.values), name="consent_status_known"
            ),
            # The same act told twice is one record.
            models.UniqueConstraint(
                fields=["member", "channel", "status", "given_at"], name="consent_act_once"
            ),
        ]
        indexes = [models.Index(fields=["member", "channel", "-given_at", "-id"], name="consent_newest")]

    def __str__(self) -> str:
        return f"{self.channel} {self.status}"
