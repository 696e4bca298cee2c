"""A person to be forgotten by a destination."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from integrations.models.extensions import Extension
from portal.tenancy.secrets import EncryptedTextField


class Erasure(models.Model):
    """Written in the transaction that erases the member; `identifiers` are cleared when it is done.

    `batch_ids`: what carried the person then. It is waited for, or it would bring the person back.
    """

    id = models.BigAutoField(primary_key=True)
    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="erasures")
    identifiers = EncryptedTextField(null=True, editable=False, help_text="JSON: remote_id, email, phone.")
    batch_ids = ArrayField(models.BigIntegerField(), null=True, editable=False)
    requested_at = models.DateTimeField(auto_now_add=True)
    not_before = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["extension", "id"], name="erasure_open", condition=models.Q(done_at=None)),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"
