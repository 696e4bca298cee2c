"""Tiers by threshold, and the history of who moved when and why."""

from django.db import models

from loyalty.models.members import Member
from portal.tenancy.models import Tenant


class Tier(models.Model):
    """A step of the programme, reached by lifetime points."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="tiers")
    slug = models.SlugField(max_length=50)
    name = models.CharField(max_length=100)
    threshold = models.PositiveBigIntegerField(help_text="Lifetime points from which this tier is reached.")

    class Meta:
        ordering = ["tenant", "threshold"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="tier_slug_once"),
            models.UniqueConstraint(fields=["tenant", "threshold"], name="tier_threshold_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_additional_data(self) -> dict[str, int]:
        """For the audit trail: whose setting this is (portal/tenancy/changes.py)."""
        return {"tenant_id": self.tenant_id}


class TierChange(models.Model):
    """A member moved. Never edited."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="tier_changes", db_index=False)
    before = models.ForeignKey(Tier, on_delete=models.RESTRICT, null=True, blank=True, related_name="+")
    after = models.ForeignKey(Tier, on_delete=models.RESTRICT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=200)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(before=models.F("after")) | models.Q(before=None) | models.Q(after=None),
                name="tier_change_moves",
            ),
        ]
        indexes = [models.Index(fields=["member", "-id"], name="tier_change_of_member")]

    def __str__(self) -> str:
        return f"{self.before or 'no tier'} → {self.after or 'no tier'}"
