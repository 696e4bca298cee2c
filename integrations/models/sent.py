"""What a destination has of us, as far as we know: the other side of every difference."""

from django.db import models
from django.db.models import Q

from integrations.models.extensions import Extension
from integrations.models.mappings import AudienceMapping
from loyalty.models import Member


class SentProfile(models.Model):
    """One member in one connection.

    `payload` is the document that arrived last (what the next difference is taken against), `refused`
    the one that was refused last, `kept` the values that a policy left to the destination, `theirs` what
    was read there and `theirs_at` when. `in_flight` names the open batch that carries the member.
    `due_at`: the live lane must look. Each settle rewrites the row, hence the fillfactor and no index
    but the partial ones.
    """

    id = models.BigAutoField(primary_key=True)
    extension = models.ForeignKey(Extension, on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sent_profiles")
    payload = models.JSONField(null=True)
    refused = models.JSONField(null=True)
    kept = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    theirs_at = models.DateTimeField(null=True)
    remote_id = models.CharField(max_length=64, blank=True, default="")
    created_by_us = models.BooleanField(null=True, help_text="Empty: not known yet.")
    sent_at = models.DateTimeField(null=True)
    run_id = models.BigIntegerField(null=True, help_text="The run that sent it last.")
    verdict = models.CharField(max_length=9, blank=True, default="")
    code = models.CharField(max_length=60, blank=True, default="")
    words = models.CharField(max_length=500, blank=True, default="")
    in_flight = models.BigIntegerField(null=True)
    due_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["extension", "member"], name="sent_profile_once")]
        indexes = [
            models.Index(
                fields=["extension", "due_at"], name="sent_profile_due", condition=Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.extension_id}"


class Origin(models.TextChoices):
    ADDED = "added", "Added by us"
    FOUND = "found", "Was there already"


class SentMembership(models.Model):
    """A member on a list, as far as we know. *Found* ones are never removed by us."""

    id = models.BigAutoField(primary_key=True)
    mapping = models.ForeignKey(AudienceMapping, on_delete=models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    origin = models.CharField(max_length=5, choices=Origin)
    in_flight = models.BigIntegerField(null=True)
    is_leaving = models.BooleanField(default=False, help_text="The open batch takes the member off the list.")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mapping", "member"], name="sent_membership_once")]

    def __str__(self) -> str:
        return f"{self.member_id} on {self.mapping_id}"
