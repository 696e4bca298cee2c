"""What people do about failures: who takes care of a cause, and what was put aside."""

from django.conf import settings
from django.db import models

from integrations.models.extensions import Extension


class FailureCare(models.Model):
    """Who takes care of one cause (`code`) of open failures of one connection, and what they noted."""

    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(max_length=60)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=500, blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["extension", "code"], name="failure_care_once")]

    def __str__(self) -> str:
        return f"{self.code} of {self.extension}"


class Dismissal(models.Model):
    """Rows that a person put aside without mending them: who, when, why, how many."""

    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="dismissals")
    code = models.CharField(max_length=60)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=500)
    rows = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.code or 'without a code'} of {self.extension}"

    def get_additional_data(self) -> dict[str, int]:
        """For the audit trail: whose failures these are (portal/tenancy/changes.py)."""
        return {"tenant_id": self.extension.tenant_id}
