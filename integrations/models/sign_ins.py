"""Somebody is on the way to the destination's Allow page and back."""

from django.conf import settings
from django.db import models

from integrations.models.extensions import Extension
from portal.tenancy.secrets import EncryptedTextField


class SignInAttempt(models.Model):
    """One trip to the Allow page. `state` comes back with it and is good once, for the same person.

    Only the SHA-256 of the state is kept; `verifier` is the other half of the PKCE challenge.
    """

    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state_digest = models.CharField(max_length=64, unique=True)
    verifier = EncryptedTextField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user} connects {self.extension}"
