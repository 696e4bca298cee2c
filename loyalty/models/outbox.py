"""What happened, to be told to every connection: one row per happening, written with it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from loyalty.models.members import Member
from loyalty.rules.event_kinds import kind_label
from portal.tenancy.models import Tenant


class OutboxQuerySet(models.QuerySet["OutboxEvent"]):
    def for_tenant(self, tenant: Tenant | int) -> "OutboxQuerySet":
        return self.filter(tenant=tenant)


class OutboxEvent(models.Model):
    """A happening of the programme, in the same transaction as its history row.

    `uid` is made with the row and never again: it is what lets a receiver drop a repeat. `properties`
    are the payload of its kind (loyalty/rules/event_kinds.py), with the balance after the happening.
    `history` marks a happening that must not start anything when it is told.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=40)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    properties = models.JSONField()
    occurred_at = models.DateTimeField()
    history = models.BooleanField(default=False)
    source = models.CharField(
        max_length=60, blank=True, default="", help_text="Row it tells of, such as points:17."
    )
    routed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[OutboxQuerySet] = OutboxQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "id"], name="outbox_not_routed", condition=Q(routed_at=None)),
            models.Index(fields=["tenant", "id"], name="outbox_of_tenant"),
            models.Index(fields=["member", "-id"], name="outbox_of_member"),
        ]
        constraints = [
            # One event per happening, never two, however often its service is retried.
            models.UniqueConstraint(
                fields=["tenant", "kind", "source"], condition=~Q(source=""), name="outbox_happening_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{kind_label(self.kind)}: {self.member}"
