"""Members, and the marks that say whose data may have changed."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower, Upper

from portal.tenancy.models import Tenant


class MemberState(models.TextChoices):
    CANDIDATE = "candidate", "Candidate"
    MEMBER = "member", "Member"
    DISABLED = "disabled", "Disabled"


class ConsentState(models.TextChoices):
    UNKNOWN = "", "Never asked"
    GRANTED = "granted", "Granted"
    REVOKED = "revoked", "Revoked"


class MemberQuerySet(models.QuerySet["Member"]):
    def for_tenant(self, tenant: Tenant | int) -> "MemberQuerySet":
        return self.filter(tenant=tenant)

    def reachable(self) -> "MemberQuerySet":
        """Members who have at least one usable e-mail address or phone number."""
        return self.filter(
            models.Q(email__gt="", email_malformed=False) | models.Q(phone__gt="", phone_malformed=False)
        )


class Member(models.Model):
    """A person in the programme. Balances and tier are caches that the history rows prove.

    `email` is lower-case, `phone` is E.164; a value that is malformed is kept as given, flagged, and
    never sent. Empty text means unknown. `attributes` holds the merchant's own fields.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="members", db_index=False)
    external_id = models.CharField(max_length=255, help_text="The merchant's own id of this person.")
    email = models.CharField(max_length=254, blank=True, default="")
    email_malformed = models.BooleanField(default=False)
    phone = models.CharField(max_length=40, blank=True, default="")
    phone_malformed = models.BooleanField(default=False)
    first_name = models.CharField(max_length=150, blank=True, default="")
    last_name = models.CharField(max_length=150, blank=True, default="")
    locale = models.CharField(max_length=20, blank=True, default="")
    address1 = models.CharField(max_length=200, blank=True, default="")
    address2 = models.CharField(max_length=200, blank=True, default="")
    city = models.CharField(max_length=120, blank=True, default="")
    region = models.CharField(max_length=120, blank=True, default="")
    zip = models.CharField("postcode", max_length=20, blank=True, default="")
    country = models.CharField(max_length=80, blank=True, default="")
    timezone = models.CharField(max_length=64, blank=True, default="")
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True)
    birth_month = models.PositiveSmallIntegerField(null=True, blank=True)
    birth_day = models.PositiveSmallIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=MemberState, default=MemberState.MEMBER)
    enrolled_at = models.DateTimeField(null=True, blank=True)
    referral_code = models.CharField(max_length=60, blank=True, default="")
    referral_url = models.CharField(max_length=500, blank=True, default="")
    attributes = models.JSONField(default=dict, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)

    tier = models.ForeignKey(
        "loyalty.Tier",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="members",
        db_index=False,  # the index by tenant and tier serves
    )
    tier_since = models.DateTimeField(null=True, blank=True)
    points_balance = models.BigIntegerField(default=0)
    points_lifetime = models.BigIntegerField(default=0, help_text="All points ever earned.")
    points_expiring_next = models.BigIntegerField(default=0, help_text="What expires first, if anything.")
    points_expire_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    email_consent = models.CharField(max_length=10, choices=ConsentState, blank=True, default="")
    sms_consent = models.CharField(max_length=10, choices=ConsentState, blank=True, default="")

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[MemberQuerySet] = MemberQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        permissions = [("adjust_points", "Can adjust points by hand")]
        constraints = [
            # The operator class lets the same index find ids by their beginning.
            models.UniqueConstraint(
                fields=["tenant", "external_id"],
                name="member_external_id_once",
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            models.CheckConstraint(condition=models.Q(external_id__gt=""), name="member_external_id_given"),
            models.CheckConstraint(
                # PostgreSQL and Python may disagree on the lower case of letters that no address has.
                condition=models.Q(email=Lower("email")) | models.Q(email_malformed=True),
                name="member_email_lower",
            ),
            models.CheckConstraint(
                condition=models.Q(points_balance__gte=0), name="member_balance_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(points_lifetime__gte=0), name="member_lifetime_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=MemberState.values), name="member_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(birth_month=None, birth_day=None, birth_year=None)
                | models.Q(
                    birth_month__isnull=False,
                    birth_day__isnull=False,
                    birth_month__range=(1, 12),
                    birth_day__range=(1, 31),
                ),
                name="member_birthday_whole",
            ),
        ]
        indexes = [
            models.Index(
                "tenant",
                OpClass("email", "varchar_pattern_ops"),
                name="member_email_search",
                condition=models.Q(email__gt=""),
            ),
            models.Index(
                "tenant",
                OpClass("phone", "varchar_pattern_ops"),
                name="member_phone_search",
                condition=models.Q(phone__gt=""),
            ),
            # Upper, because it is what Django's case-insensitive lookups ask for.
            models.Index(
                "tenant", OpClass(Upper("external_id"), "text_pattern_ops"), name="member_id_search"
            ),
            models.Index(
                "tenant",
                OpClass(Upper("first_name"), "text_pattern_ops"),
                name="member_first_name_search",
                condition=models.Q(first_name__gt=""),
            ),
            models.Index(
                "tenant",
                OpClass(Upper("last_name"), "text_pattern_ops"),
                name="member_last_name_search",
                condition=models.Q(last_name__gt=""),
            ),
            models.Index(fields=["tenant", "id"], name="member_tenant_id"),
            models.Index(fields=["tenant", "tier"], name="member_tier"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email or self.external_id

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class DirtyMember(models.Model):
    """A mark, appended in the transaction that changed what a field can see of this member.

    Whoever routes it deletes it with DELETE … SKIP LOCKED RETURNING and reads the member in a later
    snapshot. `member_id` empty: so many changed that the whole tenant is to be looked at. No foreign
    key, so that appending locks nothing.
    """

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.BigIntegerField()
    member_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant_id", "id"], name="dirty_by_tenant")]

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.member_id or 'all'}"


class ErasedMember(models.Model):
    """A tombstone: this person asked to be forgotten, so nothing is stored under their external id again.

    Holds only the SHA-256 digest (salted with the tenant's id) of that id; of e-mail and phone nothing stays.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    erased_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="erased_once")]

    def __str__(self) -> str:
        return self.digest[:12]
