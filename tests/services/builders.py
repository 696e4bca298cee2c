"""Members, events and runs for the tests of the engine."""

from typing import Any

from django.utils import timezone

from integrations.models import Extension, SentProfile, SyncBatch, SyncRow, SyncRun
from integrations.planning.filling import FILLING
from integrations.services import sync
from loyalty.models import Audience, AudienceMember, DirtyMember, Member, OutboxEvent
from portal.tenancy.models import Tenant
from tests.factories import make_member
from tests.services.conftest import drain


def people(tenant: Tenant, count: int, start: int = 0, **fields: Any) -> list[Member]:
    """M-0, M-1, … made at once, without any mark or event."""
    return Member.objects.bulk_create(
        Member(tenant=tenant, external_id=f"M-{n}", email=f"m{n}@acme.test", **fields)
        for n in range(start, start + count)
    )


def touch(*members: Member, **fields: Any) -> None:
    """Change members as a service would: with a mark each."""
    for member in members:
        for name, value in fields.items():
            setattr(member, name, value)
        member.save()
        DirtyMember.objects.create(tenant_id=member.tenant_id, member_id=member.pk)


def happen(member: Member, kind: str = "points_earned", **fields: Any) -> OutboxEvent:
    values = {"properties": {"Points": 5, "Balance": 5}, "occurred_at": timezone.now()} | fields
    created_at = values.pop("created_at", None)
    event = OutboxEvent.objects.create(tenant=member.tenant, member=member, kind=kind, **values)
    if created_at:
        OutboxEvent.objects.filter(pk=event.pk).update(created_at=created_at)
    return event


def put_in(audience: Audience, *members: Member, mark: bool = True) -> None:
    for member in members:
        AudienceMember.objects.create(audience=audience, member=member, joined_at=timezone.now())
        if mark:
            DirtyMember.objects.create(tenant_id=member.tenant_id, member_id=member.pk)


def take_out(audience: Audience, *members: Member, mark: bool = True) -> None:
    for member in members:
        AudienceMember.objects.filter(audience=audience, member=member, left_at=None).update(
            left_at=timezone.now()
        )
        if mark:
            DirtyMember.objects.create(tenant_id=member.tenant_id, member_id=member.pk)


def run(extension: Extension, kind: str = "full", **options: Any) -> SyncRun:
    """Start a run, carry it to its end, and return it as it is then."""
    started = sync.start(extension, kind=kind, **options)
    drain(extension)
    started.refresh_from_db()
    return started


def sent(extension: Extension, member: Member) -> SentProfile:
    return SentProfile.objects.get(extension=extension, member=member)


def verdicts(run: SyncRun) -> dict[str, tuple[str, str]]:
    """External id → verdict and code of the run's rows of profiles."""
    rows = SyncRow.objects.filter(run=run, delivery_id=None, mapping=None).select_related("member")
    return {row.member.external_id: (row.verdict, row.code) for row in rows}


__all__ = [
    "drain",
    "happen",
    "make_member",
    "people",
    "put_in",
    "run",
    "sent",
    "take_out",
    "touch",
    "verdicts",
]


def is_planned() -> bool:
    """Whether there are batches that nobody fills up any more."""
    return SyncBatch.objects.exclude(not_before=FILLING).exists()
