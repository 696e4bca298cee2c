"""Where one member stands with one connection: what should be, what was sent, what holds it up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from integrations.models import Extension, Health, SentProfile, SyncBatch
from integrations.planning import desired, merge
from integrations.services import composing, run_history
from loyalty.models import DirtyMember, Member


@dataclass(frozen=True)
class Standing:
    """Everything that the page of one member and one connection is made from.

    `wanted` is the document as it should be now, flat; `sent` None where no plan has met the member yet;
    `batch` is the open one that carries them; `is_marked`: a change of now is not even looked at yet.
    """

    extension: Extension
    member: Member
    name: str
    wanted: merge.Flat
    hold: str
    sent: SentProfile | None
    batch: SyncBatch | None
    is_marked: bool
    policies: merge.Policies
    now: datetime

    @property
    def arrived(self) -> merge.Flat | None:
        """What arrived last, flat; None where nothing ever did."""
        return None if self.sent is None or self.sent.payload is None else merge.flatten(self.sent.payload)

    @property
    def refused(self) -> merge.Flat | None:
        return None if self.sent is None or self.sent.refused is None else merge.flatten(self.sent.refused)

    @property
    def kept(self) -> dict[str, Any]:
        return (self.sent.kept if self.sent else None) or {}

    @property
    def left(self) -> set[str]:
        """Keys of properties that arrived once, are mapped no more, and stay there as they are."""
        mapped = {f".{row.property}" for row in self.extension.field_mappings.all()}
        found = {key for key in self.arrived or {} if key.startswith(".") and key not in mapped}
        return {key for key in found if not self.policies.clears(key)}

    @property
    def differs(self) -> bool:
        if self.arrived is None:
            return True
        counted = {key: value for key, value in self.arrived.items() if key not in self.left}
        return not merge.same(counted, self.wanted)

    @property
    def is_refused(self) -> bool:
        """Whether it was refused as it is now."""
        return self.refused is not None and merge.same(self.refused, self.wanted)

    @property
    def is_due(self) -> bool:
        return self.is_marked or bool(self.sent and self.sent.due_at)

    @property
    def needs_attention(self) -> bool:
        return self.extension.health == Health.ATTENTION


def connections_of(tenant_id: int) -> list[Extension]:
    """The tenant's connections with their field mappings, those that are on first; without secrets."""
    found = Extension.objects.filter(tenant_id=tenant_id).defer("secret", "refresh_token")
    return list(found.prefetch_related("field_mappings").order_by("-is_active", "name"))


def of(extension: Extension, member: Member) -> Standing:
    """Six queries."""
    document, hold = desired.of(extension, [member.pk]).get(member.pk, ({}, ""))
    sent = SentProfile.objects.filter(extension=extension, member=member).first()
    batch = None
    if sent and sent.in_flight:
        batch = SyncBatch.objects.only("pk", "run_id", "state", "words", "not_before", "created_at").filter(
            pk=sent.in_flight
        )
    return Standing(
        extension=extension,
        member=member,
        name=run_history.destination_name(extension),
        wanted=merge.flatten(document),
        hold=hold,
        sent=sent,
        batch=batch.first() if batch is not None else None,
        is_marked=DirtyMember.objects.filter(tenant_id=member.tenant_id, member_id=member.pk).exists(),
        policies=composing.policies_of(extension),
        now=timezone.now(),
    )
