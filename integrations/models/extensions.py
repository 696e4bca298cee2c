"""A tenant's connection to one destination."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations.gateway.values import Credentials
from portal.tenancy.models import Tenant
from portal.tenancy.secrets import EncryptedTextField, Secret


class AuthMethod(models.TextChoices):
    PRIVATE_KEY = "private_key", "Private key"
    OAUTH = "oauth", "OAuth"


class MergePolicy(models.TextChoices):
    """Who wins when a profile already has a value."""

    STANDARD = "", "Ours for loyalty properties, fill if empty for names, phone and location"
    OVERWRITE = "overwrite", "Ours always wins"
    FILL_EMPTY = "fill_empty", "Fill only what is empty there"
    KEEP_THEIRS = "keep_theirs", "Keep theirs once they have a value"
    MAX = "max", "The larger value wins"
    SKIP_EXISTING = "skip_existing", "Leave profiles that we did not create alone"


class Health(models.TextChoices):
    OK = "ok", "Working"
    ATTENTION = "attention", "Needs attention"
    UNCHECKED = "unchecked", "Not checked yet"


class ExtensionQuerySet(models.QuerySet["Extension"]):
    def for_tenant(self, tenant: Tenant | int) -> "ExtensionQuerySet":
        return self.filter(tenant=tenant)

    def active(self) -> "ExtensionQuerySet":
        return self.filter(is_active=True)

    def working(self) -> "ExtensionQuerySet":
        """Active, and nothing that a person must mend first."""
        return self.active().exclude(health=Health.ATTENTION)


class Extension(models.Model):
    """One connection: whose, to what, with which credentials, and how well it does.

    `active_since` divides live from history: what happened before it is told as history. `events_since`
    forgets events older than itself (what waited while the connection was off and was discarded).
    `full_due_at`: everybody must be looked at again; `full_due_reason` why, empty where many members changed.

    By OAuth, `secret` is the access token (until `token_expires_at`) and `refresh_token` what renews it; who
    holds `refresh_lease_until` renews it alone. `removed_at`: our access was taken away on the other side.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="extensions")
    key = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="Part of inbound addresses."
    )
    destination = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    is_active = models.BooleanField("active", default=False)
    active_since = models.DateTimeField(null=True, blank=True, editable=False)
    events_since = models.DateTimeField(null=True, blank=True, editable=False)

    auth_method = models.CharField(max_length=20, choices=AuthMethod, default=AuthMethod.PRIVATE_KEY)
    secret = EncryptedTextField(null=True, blank=True, editable=False)
    refresh_token = EncryptedTextField(null=True, blank=True, editable=False)
    granted_scopes = models.JSONField(default=list, blank=True, editable=False)
    token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    refreshed_at = models.DateTimeField(null=True, blank=True, editable=False)
    refresh_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)
    account_id = models.CharField(max_length=64, blank=True, default="")
    account_name = models.CharField(max_length=200, blank=True, default="")
    is_practice = models.BooleanField("practice connection", default=False)
    missing_scopes = models.JSONField(default=list, blank=True)
    base_url = models.CharField(
        "API address", max_length=200, blank=True, default="", help_text="Empty: the portal's default."
    )
    revision = models.CharField(
        "API revision", max_length=20, blank=True, default="", help_text="Empty: the portal's default."
    )

    merge_policy = models.CharField(max_length=20, choices=MergePolicy, blank=True, default="")
    only_opted_in = models.BooleanField(
        default=False, help_text="Send only members who allowed e-mail or SMS marketing."
    )
    events_enabled = models.BooleanField(default=True)
    property_prefix = models.CharField(
        max_length=40,
        blank=True,
        default="",
        help_text="Put before the names of properties that are mapped from now on.",
    )
    throttle_share = models.PositiveSmallIntegerField(
        default=80,
        help_text="Per cent of the permitted rate that the portal uses; the rest is for your other tools.",
    )

    health = models.CharField(max_length=12, choices=Health, default=Health.UNCHECKED)
    health_reason = models.CharField(max_length=500, blank=True, default="")
    health_since = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    full_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    full_due_reason = models.CharField(max_length=100, blank=True, default="", editable=False)
    daily_full_on = models.DateField(
        null=True, blank=True, editable=False, help_text="Tenant's day of the last daily look at all."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[ExtensionQuerySet] = ExtensionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "connection"
        ordering = ["tenant__name", "name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="extension_name_once"),
            models.UniqueConstraint(
                fields=["tenant", "destination"], condition=Q(is_active=True), name="extension_one_active"
            ),
            models.UniqueConstraint(
                fields=["destination", "account_id"],
                condition=Q(is_active=True) & ~Q(account_id=""),
                name="extension_account_one_active",
            ),
            models.CheckConstraint(
                condition=Q(throttle_share__range=(1, 100)), name="extension_share_per_cent"
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(active_since__isnull=False), name="extension_active_since"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_additional_data(self) -> dict[str, int]:
        """For the audit trail: whose setting this is (portal/tenancy/changes.py)."""
        return {"tenant_id": self.tenant_id}

    def credentials(self, *, default_url: str, default_revision: str) -> Credentials:
        return Credentials(
            method=self.auth_method,
            secret=self.secret or Secret(""),
            base_url=(self.base_url or default_url).rstrip("/"),
            revision=self.revision or default_revision,
            account_id=self.account_id,
            share=self.throttle_share,
        )
