"""What a person shows besides the password: an app that makes codes, and recovery codes for its loss.

The arithmetic and the throttling are django-otp's; the device is our own because its key is kept encrypted.
"""

import base64
import time
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django.utils import timezone
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP
from typing_extensions import override

from portal.tenancy.secrets import EncryptedTextField

ISSUER = "Loyalty portal"
STEPS_TOLERATED = 1  # half a minute early or late
FAILURES_COUNTED = 10  # each doubles the pause; ten make it about eight minutes, and there it stays


class AuthenticatorDevice(ThrottlingMixin, Device):  # type: ignore[misc]  # django-otp has no types
    """An authenticator app, one a person; not asked for until `confirmed` by a first code."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator"
    )
    name = models.CharField(max_length=64, default="Authenticator app")
    confirmed = models.BooleanField(default=False)
    key = EncryptedTextField(editable=False)
    drift = models.SmallIntegerField(default=0, editable=False)
    last_step = models.BigIntegerField(
        default=-1, editable=False, help_text="Of the code used last: no code is taken twice."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "two-factor sign-in"
        verbose_name_plural = "two-factor sign-ins"

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    def key_text(self) -> str:
        """The key as a person types it into the app."""
        return str(self.key.reveal()) if self.key else ""

    def address(self) -> str:
        """What the QR code says: github.com/google/google-authenticator/wiki/Key-Uri-Format."""
        label = quote(f"{ISSUER}:{self.user.email}")
        return f"otpauth://totp/{label}?{urlencode({'secret': self.key_text(), 'issuer': ISSUER}, quote_via=quote)}"

    @override
    def verify_token(self, token: str) -> bool:
        """Whether the code is right, and newer than the last one. Call it with the row locked."""
        if not self.verify_is_allowed()[0]:
            return False
        generator = TOTP(base64.b32decode(self.key_text()), drift=self.drift)
        generator.time = time.time()
        if not generator.verify(int(token), STEPS_TOLERATED, self.last_step + 1):
            self.note_failure()
            return False
        self.last_step, self.drift = generator.t(), generator.drift
        self.note_success("last_step", "drift")
        return True

    def note_failure(self) -> None:
        self.throttle_increment(commit=False)
        failures: int = vars(self)["throttling_failure_count"]
        self.throttling_failure_count = min(failures, FAILURES_COUNTED)
        self._keep("throttling_failure_timestamp", "throttling_failure_count")

    def note_success(self, *fields: str) -> None:
        self.throttle_reset(commit=False)
        self.last_used_at = timezone.now()
        self._keep("throttling_failure_timestamp", "throttling_failure_count", "last_used_at", *fields)

    def _keep(self, *fields: str) -> None:
        """By update, not save: no change of a setting, so nothing for the audit trail."""
        values = {name: getattr(self, name) for name in fields}
        AuthenticatorDevice.objects.filter(pk=self.pk).update(**values)

    def get_throttle_factor(self) -> int:
        return 1


class RecoveryCode(models.Model):
    """Lets its person in once without the app. Only the SHA-256 is kept: the text has 80 random bits."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"Recovery code of {self.user}"
