"""The points ledger: append-only entries, and the lots they fill and use."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from loyalty.models.members import Member
from portal.tenancy.models import Tenant


class EntryKind(models.TextChoices):
    EARN = "earn", "Earned"
    REDEEM = "redeem", "Redeemed"
    ADJUST = "adjust", "Adjusted"
    EXPIRE = "expire", "Expired"


class PointsEntryQuerySet(models.QuerySet["PointsEntry"]):
    def for_tenant(self, tenant: Tenant | int) -> "PointsEntryQuerySet":
        return self.filter(tenant=tenant)


class PointsEntry(models.Model):
    """One change of a member's balance. Never edited, never deleted: correct by adding."""

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, related_name="points_entries", db_index=False
    )
    kind = models.CharField(max_length=10, choices=EntryKind)
    points = models.BigIntegerField(help_text="Signed.")
    balance_after = models.BigIntegerField()
    reason = models.CharField(max_length=300, blank=True, default="")
    order_ref = models.CharField(max_length=120, blank=True, default="")
    idempotency_key = models.CharField(max_length=255)
    fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of what was asked, to tell a repeat from a clash."
    )
    occurred_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=254, blank=True, default="", help_text="Who, if a person.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[PointsEntryQuerySet] = PointsEntryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "points entries"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "idempotency_key"], name="points_entry_once"),
            models.CheckConstraint(condition=~Q(points=0), name="points_entry_not_zero"),
            models.CheckConstraint(
                condition=Q(balance_after__gte=0), name="points_entry_balance_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(kind="earn", points__gt=0)
                | Q(kind__in=["redeem", "expire"], points__lt=0)
                | Q(kind="adjust"),
                name="points_entry_sign_fits_kind",
            ),
        ]
        indexes = [models.Index(fields=["member", "-id"], name="points_entry_of_member")]

    def __str__(self) -> str:
        return f"{self.points:+d} → {self.balance_after}"


class PointsLot(models.Model):
    """Points that came in together and expire together. `remaining` shrinks as they are used."""

    id = models.BigAutoField(primary_key=True)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="lots")
    entry = models.OneToOneField(PointsEntry, on_delete=models.CASCADE, related_name="lot")
    points = models.BigIntegerField()
    remaining = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(points__gt=0), name="lot_positive"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0) & Q(remaining__lte=F("points")), name="lot_remaining_within"
            ),
        ]
        indexes = [
            models.Index(
                fields=["member", "expires_at", "id"], name="lot_open", condition=Q(remaining__gt=0)
            ),
            models.Index(
                fields=["expires_at"],
                name="lot_expiring",
                condition=Q(remaining__gt=0, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.points}"


class LotUse(models.Model):
    """Which lot an entry with negative points was taken from: a refund can put it back."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(PointsEntry, on_delete=models.CASCADE, related_name="uses", db_index=False)
    lot = models.ForeignKey(PointsLot, on_delete=models.CASCADE, related_name="uses")
    points = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "lot"], name="lot_use_once"),
            models.CheckConstraint(condition=Q(points__gt=0), name="lot_use_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.points} of lot {self.lot_id}"
