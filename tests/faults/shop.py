"""A small programme with everything in it, and what Klaviyo must hold in the end, undisturbed or not."""

from dataclasses import dataclass

from django.utils import timezone

from integrations.models import Extension
from loyalty.models import Audience, AudienceMember, Member, OutboxEvent
from tests.factories import make_audience, make_tenant
from tests.klaviyo.sandbox_process import SandboxAccount


@dataclass
class Shop:
    extension: Extension
    gold: Audience
    members: list[Member]
    uids: list[str]


def open_shop(connect, members: int = 240, gold: int = 150, events: int = 140) -> Shop:
    tenant = make_tenant()
    audience = make_audience(tenant, "gold")
    extension = connect(tenant, lists={audience: "Gold"})
    people = Member.objects.bulk_create(
        Member(tenant=tenant, external_id=f"M-{n}", email=f"m{n}@fernhill.test", points_balance=n)
        for n in range(members)
    )
    now = timezone.now()
    AudienceMember.objects.bulk_create(
        AudienceMember(audience=audience, member=member, joined_at=now) for member in people[:gold]
    )
    told = OutboxEvent.objects.bulk_create(
        OutboxEvent(
            tenant=tenant,
            member=people[n % members],
            kind="points_earned",
            properties={"Points": n + 1},
            occurred_at=now,
        )
        for n in range(events)
    )
    return Shop(extension, audience, people, [str(event.uid) for event in told])


def assert_all_is_there(account: SandboxAccount, shop: Shop, *, gold: int = 150) -> None:
    """Every profile with its value, the list exactly, each event exactly once."""
    account.wait_for_jobs()
    account.wait(lambda account: len(account.events()) >= len(shop.uids), seconds=5)
    found = {
        one["external_id"]: one["properties"]["Points Balance"] for one in account.profiles(limit="5000")
    }
    assert found == {member.external_id: member.points_balance for member in shop.members}
    assert account.members("Gold")["external_ids"] == sorted(f"M-{n}" for n in range(gold))
    assert len(account.lists()) == 1
    uids = [event["unique_id"] for event in account.events()]
    assert sorted(uids) == sorted(shop.uids)
    assert account.stats()["violations"] == []
