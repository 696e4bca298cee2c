"""Audiences: a rule or a hand-kept list, and who belongs since when."""

from django.db import models
from django.db.models import Q

from loyalty.models.members import Member
from portal.tenancy.models import Tenant


class Audience(models.Model):
    """A named group of members. With `rule` it follows the rule; static ones are kept by hand or API."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="audiences")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    is_static = models.BooleanField("static", default=False)
    rule = models.JSONField(null=True, blank=True, help_text="The rule tree; empty for a static audience.")
    refreshed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["tenant", "name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="audience_slug_once"),
            models.CheckConstraint(
                condition=Q(is_static=True, rule__isnull=True) | Q(is_static=False, rule__isnull=False),
                name="audience_rule_or_static",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_additional_data(self) -> dict[str, int]:
        """For the audit trail: whose setting this is (portal/tenancy/changes.py)."""
        return {"tenant_id": self.tenant_id}


class AudienceMember(models.Model):
    """Membership as data: a row for each stay; `left_at` empty while the member belongs."""

    id = models.BigAutoField(primary_key=True)
    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="audience_memberships")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["audience", "member"], condition=Q(left_at=None), name="audience_member_once"
            ),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(left_at__gte=models.F("joined_at")), name="audience_stay_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member} in {self.audience}"
