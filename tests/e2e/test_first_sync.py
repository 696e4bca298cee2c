"""The whole way: members and points come in, and Klaviyo has them."""

from collections.abc import Callable

import pytest

from integrations.models import Extension, SentMembership, SyncRow, SyncRun
from integrations.services import reruns, sync
from loyalty.models import Member
from loyalty.rules import ledger_entries, member_input
from loyalty.services import audiences, ledger, members
from tests.e2e.conftest import drain
from tests.factories import make_audience, make_tenant, make_tier
from tests.klaviyo.sandbox_process import SandboxAccount

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Connect = Callable[..., Extension]


def put(tenant, *rows, **options):
    items = []
    for row in rows:
        item, errors, _ = member_input.parse(row, default_region="GB")
        assert item is not None, errors
        items.append(item)
    return members.upsert(tenant, items, source="test", **options)


def post(tenant, *rows):
    entries = []
    for row in rows:
        entry, errors = ledger_entries.parse({"reason": "Order", **row})[:2]
        assert entry is not None, errors
        entries.append(entry)
    return ledger.post(tenant, entries)


def people(count, start=0):
    return [
        {"external_id": f"M-{n}", "email": f"m{n}@fernhill.test", "first_name": f"Name {n}"}
        for n in range(start, start + count)
    ]


def test_everybody_arrives_with_typed_properties_lists_and_events(connect: Connect, account: SandboxAccount):
    tenant = make_tenant()
    make_tier(tenant, "gold", 100)
    rule = {"all": [{"field": "tier_slug", "op": "equals", "value": "gold"}]}
    gold = make_audience(tenant, "gold", rule=rule)
    extension = connect(
        tenant,
        fields={"points_balance": "Points Balance", "tier_name": "VIP Tier", "attributes.vip": "Is VIP"},
        lists={gold: "VIP Customers"},
    )
    rows = people(250)
    rows[0]["attributes"] = {"vip": False}
    put(tenant, *rows)
    post(
        tenant, *[{"external_id": f"M-{n}", "points": 100 + n, "idempotency_key": f"k{n}"} for n in range(40)]
    )
    run = sync.start(extension, kind="full")
    drain(extension)

    run.refresh_from_db()
    assert run.status == "succeeded", (run.note, run.counts)
    assert account.state()["profiles"] == 250
    first = account.profile(external_id="M-0")
    assert first["properties"] == {"Points Balance": 100, "VIP Tier": "Gold", "Is VIP": False}
    assert account.profile(external_id="M-200")["properties"] == {"Points Balance": 0}
    assert account.members("VIP Customers")["external_ids"] == sorted(f"M-{n}" for n in range(40))
    earned = account.events(metric="Points Earned")
    assert len(earned) == 40
    assert account.stats()["violations"] == []

    written = account.stats()["totals"]["profiles_written"]
    again = sync.start(extension, kind="full")
    drain(extension)
    again.refresh_from_db()
    assert again.status == "succeeded"
    assert (again.sent, again.unchanged) == (0, 250)
    assert account.stats()["totals"]["profiles_written"] == written
    assert len(account.events(metric="Points Earned")) == 40


def test_leavers_leave_and_changes_alone_are_written(connect: Connect, account: SandboxAccount):
    tenant = make_tenant()
    rule = {"all": [{"field": "points_balance", "op": "at_least", "value": 50}]}
    rich = make_audience(tenant, "rich", rule=rule)
    extension = connect(tenant, lists={rich: "Rich"})
    put(tenant, *people(150))
    post(tenant, *[{"external_id": f"M-{n}", "points": 60, "idempotency_key": f"k{n}"} for n in range(150)])
    sync.start(extension, kind="full")
    drain(extension)
    assert len(account.members("Rich")["external_ids"]) == 150
    written = account.stats()["totals"]["profiles_written"]

    post(tenant, *[{"external_id": f"M-{n}", "points": -30, "idempotency_key": f"r{n}"} for n in range(120)])
    drain(extension)
    assert account.members("Rich")["external_ids"] == sorted(f"M-{n}" for n in range(120, 150))
    assert account.profile(external_id="M-5")["properties"]["Points Balance"] == 30
    assert account.stats()["totals"]["profiles_written"] - written <= 120 + 120
    assert SentMembership.objects.count() == 30


def test_broken_addresses_hold_nobody_else_and_are_sent_when_mended(
    connect: Connect, account: SandboxAccount
):
    tenant = make_tenant()
    extension = connect(tenant)
    rows = people(130)
    rows[7]["email"] = "not an address"
    account.refuse("m9@fernhill.test", detail="Nobody lives here.")
    put(tenant, *rows, events=False)  # an event would make the profile by itself
    run = sync.start(extension, kind="full")
    drain(extension)
    assert account.state()["profiles"] == 128
    bad = {
        row.member.external_id: (row.verdict, row.code, row.words)
        for row in SyncRow.objects.exclude(verdict="sent")
    }
    assert bad["M-7"][:2] == ("held", "no_identifier")
    assert bad["M-9"][0] == "rejected"
    assert "Nobody lives here" in bad["M-9"][2]

    run = SyncRun.objects.exclude(kind="live").filter(rejected=1).get()
    assert run.status == "partly_failed"
    before = account.stats()["totals"]["profiles_written"]
    Member.objects.filter(external_id="M-9").update(email="m9b@fernhill.test")  # mended behind our back
    again = reruns.create(run, failed_only=True)
    drain(extension)
    again.refresh_from_db()
    assert (again.status, again.sent) == ("succeeded", 1)
    put(tenant, {"external_id": "M-7", "email": "m7@fernhill.test"})
    drain(extension)
    assert account.state()["profiles"] == 130
    assert account.stats()["totals"]["profiles_written"] == before + 2
    assert not SyncRow.objects.exclude(verdict="sent").filter(healed_at=None).exists()


def test_a_points_entry_becomes_event_and_balance_by_the_live_lane(connect: Connect, account: SandboxAccount):
    tenant = make_tenant()
    extension = connect(tenant)
    put(tenant, *people(1))
    drain(extension)
    post(tenant, {"external_id": "M-0", "points": 25, "idempotency_key": "a"})
    drain(extension)
    (event,) = account.events(metric="Points Earned")
    assert event["properties"]["Balance"] == 25
    assert account.profile(external_id="M-0")["properties"]["Points Balance"] == 25
    assert not event["backfill"]


def test_a_list_keeps_who_was_there_before(connect: Connect, account: SandboxAccount):
    tenant = make_tenant()
    static = make_audience(tenant, "press")
    put(tenant, *people(3))
    audiences.change_static(static, add=["M-0", "M-1"], remove=[])
    extension = connect(tenant)
    drain(extension)
    sync.start(extension, kind="full")
    drain(extension)
    from integrations.gateway.values import ProfileWrite
    from integrations.models import AudienceMapping
    from integrations.services.connections import open_channel

    channel = open_channel(extension)
    made = channel.create_list("Press")
    foreign = channel.write_profile(ProfileWrite(values={"email": "foreign@elsewhere.test"})).remote_id
    (mine,) = channel.read_profiles("external_id", ["M-0"])
    channel.join_list(made.remote_id, [foreign, mine.remote_id])
    AudienceMapping.objects.create(extension=extension, audience=static, list_name="Press")
    sync.start(extension, kind="audiences")
    drain(extension)
    assert sorted(account.members("Press")["emails"]) == [
        "foreign@elsewhere.test",
        "m0@fernhill.test",
        "m1@fernhill.test",
    ]
    audiences.change_static(static, add=[], remove=["M-0", "M-1"])
    drain(extension)
    assert sorted(account.members("Press")["emails"]) == ["foreign@elsewhere.test", "m0@fernhill.test"]
