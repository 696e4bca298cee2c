"""Who is sent, who is held and why, and who is left alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.models import AudienceMapping, SentMembership, SentProfile, SyncBatch, SyncRow
from integrations.planning import batching, desired
from integrations.services import course, sync
from tests.factories import make_audience, make_member, make_tenant
from tests.services.builders import drain, people, put_in, run, sent, take_out, touch, verdicts
from tests.services.conftest import Connect

pytestmark = pytest.mark.django_db


def plan(extension, kind="full", **options):
    """Start a run and plan it to the end, without sending."""
    started = sync.start(extension, kind=kind, **options)
    for _ in range(50):
        started.refresh_from_db()
        if started.phase == "send":
            return started
        assert course.advance(extension)
    raise AssertionError("the plan has no end")


def batches(kind="profiles"):
    return list(SyncBatch.objects.filter(kind=kind, state="planned").order_by("pk"))


def test_only_what_changed_is_sent(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 120)
    first = run(extension)
    assert (first.status, first.sent, first.planned) == ("succeeded", 120, 120)
    again = run(extension)
    assert (again.sent, again.unchanged, again.calls) == (0, 120, 0)
    touch(members[3], points_balance=7)
    drain(extension)
    assert remote.document("M-3")["Points"] == 7
    assert remote.count("write_profile") == 1
    assert run(extension).unchanged == 120


def test_force_sends_everything_again(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 3)
    run(extension)
    forced = run(extension, force=True)
    assert (forced.sent, forced.unchanged) == (3, 0)
    assert remote.count("write_profile") == 6


def test_one_and_true_are_two_values(connect: Connect, remote):
    extension = connect(fields={"attributes.vip": "VIP"})
    (member,) = people(extension.tenant, 1, attributes={"vip": 1})
    run(extension)
    touch(member, attributes={"vip": True})
    drain(extension)
    assert remote.document("M-0")["VIP"] is True
    assert run(extension).unchanged == 1


HELD = [
    ("no_identifier", {"email": ""}),
    ("no_identifier", {"email": "broken", "email_malformed": True}),
    ("no_identifier", {"email": "", "phone": "12", "phone_malformed": True}),
    ("shared_email", {"email": "m0@acme.test"}),
    ("shared_phone", {"email": "", "phone": "+441632960000"}),
    ("shared_phone", {"email": "x", "email_malformed": True, "phone": "+441632960000"}),
]


@pytest.mark.parametrize(("code", "fields"), HELD)
def test_each_hold_has_its_reason(connect: Connect, remote, code, fields):
    extension = connect()
    people(extension.tenant, 1, phone="+441632960000")
    member = make_member(extension.tenant, "HELD", **fields)
    ended = run(extension)
    assert (ended.status, ended.sent, ended.held) == ("succeeded", 1, 1)
    assert verdicts(ended)["HELD"] == ("held", code)
    assert SyncRow.objects.get(member=member).words == desired.HOLD_WORDS[code]
    assert (sent(extension, member).verdict, sent(extension, member).code) == ("held", code)
    assert len(remote.profiles) == 1


def test_a_shared_phone_goes_to_the_older_member_alone(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 2, phone="+441632960000")
    run(extension)
    assert remote.document("M-0")["phone"] == "+441632960000"
    assert "phone" not in remote.document("M-1")


def test_only_those_who_allowed_marketing(connect: Connect, remote):
    extension = connect(only_opted_in=True)
    make_member(extension.tenant, "MAIL", email_consent="granted")
    make_member(extension.tenant, "SMS", sms_consent="granted", email_consent="revoked")
    make_member(extension.tenant, "NEVER")
    make_member(extension.tenant, "REVOKED", email_consent="revoked")
    ended = run(extension)
    found = verdicts(ended)
    assert {name for name, (verdict, _) in found.items() if verdict == "sent"} == {"MAIL", "SMS"}
    assert found["NEVER"] == found["REVOKED"] == ("held", "not_opted_in")


def test_a_hold_that_is_mended_leaves_no_trace_though_nothing_is_to_be_sent(connect: Connect):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    touch(member, email_malformed=True)
    drain(extension)
    assert sent(extension, member).verdict == "held"
    touch(member, email_malformed=False)
    drain(extension)
    assert (sent(extension, member).verdict, sent(extension, member).code) == ("sent", "")
    assert not SyncRow.objects.filter(verdict="held", healed_at=None).exists()


def test_refused_data_waits_for_a_change(connect: Connect, remote):
    remote.refused_later = {"m1@acme.test"}
    extension = connect()
    members = people(extension.tenant, 120)
    first = run(extension)
    assert (first.status, first.sent, first.rejected) == ("partly_failed", 119, 1)
    assert verdicts(first)["M-1"] == ("rejected", "invalid")
    calls = len(remote.calls)
    second = run(extension)
    assert verdicts(second)["M-1"] == ("held", "refused_before")
    assert sent(extension, members[1]).verdict == "rejected"
    assert len(remote.calls) == calls
    touch(members[1], email="better@acme.test")
    drain(extension)
    assert remote.document("M-1")["email"] == "better@acme.test"
    assert not SyncRow.objects.exclude(verdict="sent").filter(healed_at=None).exists()


def test_due_is_cleared_for_the_unchanged_and_kept_for_those_in_flight(connect: Connect):
    extension = connect()
    members = people(extension.tenant, 150)
    run(extension)
    touch(*members[:2])
    touch(members[2], points_balance=5)
    SentProfile.objects.filter(member=members[1]).update(in_flight=12345)
    plan(extension, "full")
    assert sent(extension, members[0]).due_at is None
    assert sent(extension, members[1]).due_at is not None
    assert sent(extension, members[2]).due_at is None
    assert sent(extension, members[2]).in_flight == batches("singles")[0].pk


def test_changes_looks_at_due_members_alone(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 5)
    run(extension)
    for member in members[:2]:  # behind our back: no mark
        member.points_balance = 9
        member.save()
    touch(members[2], points_balance=9)
    ended = run(extension, "changes")
    assert (ended.sent, ended.unchanged) == (1, 0)
    assert run(extension, "full").sent == 2


def test_a_change_while_in_flight_is_sent_afterwards(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 120)
    remote.holds_jobs = True
    sync.start(extension, kind="full")
    from tests.services.conftest import step

    step(extension)
    assert len(remote.jobs) == 1
    touch(members[0], points_balance=50)
    for _ in range(3):
        step(extension)
    assert remote.count("write_profile") == 0
    remote.finish_jobs()
    drain(extension)
    assert remote.document("M-0")["Points"] == 50
    assert remote.count("write_profile") == 1


def test_members_are_planned_in_chunks(connect: Connect, remote, monkeypatch):
    monkeypatch.setattr(batching, "CHUNK", 50)
    extension = connect()
    members = people(extension.tenant, 130)
    touch(members[60], email="")
    ended = run(extension)
    assert (ended.sent, ended.held, ended.planned) == (129, 1, 130)
    assert len(remote.profiles) == 129
    assert run(extension).unchanged == 129


def test_a_batch_has_one_set_of_lists(connect: Connect, remote, settings):
    settings.LIVE_SINGLE_LIMIT = 0
    tenant = make_tenant()
    gold, press = make_audience(tenant, "gold"), make_audience(tenant, "press")
    extension = connect(tenant, lists={gold: "Gold", press: "Press"})
    members = people(tenant, 8)
    put_in(gold, *members[:4], mark=False)
    put_in(press, *members[2:6], mark=False)
    plan(extension)
    mappings = dict(AudienceMapping.objects.values_list("audience__slug", "pk"))
    found = {tuple(batch.mapping_ids): len(batch.member_ids) for batch in batches()}
    assert found == {
        (mappings["gold"],): 2,
        tuple(sorted(mappings.values())): 2,
        (mappings["press"],): 2,
        (): 2,
    }
    drain(extension)
    assert remote.members("Gold") == ["M-0", "M-1", "M-2", "M-3"]
    assert remote.members("Press") == ["M-2", "M-3", "M-4", "M-5"]
    assert remote.count("join_list", "write_profile") == 0


def test_batches_hold_no_more_than_one_job_may(connect: Connect, fake, settings):
    from dataclasses import replace

    settings.LIVE_SINGLE_LIMIT = 0
    fake.limits = replace(fake.limits, profiles_per_job=4)
    extension = connect()
    people(extension.tenant, 10)
    plan(extension)
    assert [len(batch.member_ids) for batch in batches()] == [4, 4, 2]
    drain(extension)
    assert len(fake.remote.profiles) == 10


def mapped_later(connect, remote, count=3, **options):
    """Members that were sent before their audience was mapped."""
    tenant = make_tenant()
    gold = make_audience(tenant, "gold")
    extension = connect(tenant, **options)
    members = people(tenant, count)
    run(extension)
    put_in(gold, *members, mark=False)
    AudienceMapping.objects.create(extension=extension, audience=gold, list_name="Gold")
    return extension, gold, members


def test_unchanged_joiners_take_the_list_call(connect: Connect, remote):
    extension, _, _ = mapped_later(connect, remote)
    ended = run(extension)
    assert remote.members("Gold") == ["M-0", "M-1", "M-2"]
    assert (remote.count("join_list"), remote.count("read_profiles"), ended.sent) == (1, 0, 3)
    assert set(SyncRow.objects.filter(run=ended).values_list("action", "verdict", "what")) == {
        ("joined", "sent", "Gold")
    }


def test_few_unchanged_joiners_without_a_known_id_are_looked_up(connect: Connect, remote):
    extension, _, _ = mapped_later(connect, remote)
    SentProfile.objects.update(remote_id="")
    run(extension)
    assert remote.members("Gold") == ["M-0", "M-1", "M-2"]
    assert (remote.count("join_list"), remote.count("read_profiles")) == (1, 1)
    assert not SentProfile.objects.filter(remote_id="").exists()


def test_many_unchanged_joiners_without_a_known_id_ride_in_a_job(connect: Connect, remote):
    """A look-up for every hundred would cost a hundred times the calls."""
    extension, _, _ = mapped_later(connect, remote, 250)
    submitted = remote.count("submit")
    ended = run(extension)
    assert len(remote.members("Gold")) == 250
    assert (remote.count("submit") - submitted, remote.count("join_list", "read_profiles")) == (1, 0)
    assert (ended.status, ended.sent) == ("succeeded", 250)
    assert SentProfile.objects.filter(payload=None).count() == 0
    assert run(extension).unchanged == 250


def test_who_left_the_audience_leaves_the_list(connect: Connect, remote):
    extension, gold, members = mapped_later(connect, remote)
    run(extension)
    take_out(gold, members[0])
    drain(extension)
    assert remote.members("Gold") == ["M-1", "M-2"]
    assert SentMembership.objects.count() == 2
    row = SyncRow.objects.get(action="left")
    assert (row.member_id, row.verdict, row.what) == (members[0].pk, "sent", "Gold")


def test_who_was_found_on_the_list_is_never_taken_off(connect: Connect, remote):
    tenant = make_tenant()
    gold = make_audience(tenant, "gold")
    extension = connect(tenant)
    members = people(tenant, 3)
    run(extension)
    remote.lists["L1"] = "Gold"
    remote.join("L1", [sent(extension, members[0]).remote_id])
    put_in(gold, *members, mark=False)
    mapping = AudienceMapping.objects.create(extension=extension, audience=gold, list_name="Gold")
    run(extension)
    assert dict(SentMembership.objects.filter(mapping=mapping).values_list("member", "origin")) == {
        members[0].pk: "found",
        members[1].pk: "added",
        members[2].pk: "added",
    }
    take_out(gold, *members)
    drain(extension)
    assert remote.members("Gold") == ["M-0"]


@pytest.mark.parametrize("changes", [{"remove_leavers": False}, {"is_paused": True}, {"problem": "Gone."}])
def test_leavers_stay_where_the_mapping_says_so(connect: Connect, remote, changes):
    extension, gold, members = mapped_later(connect, remote)
    run(extension)
    AudienceMapping.objects.update(**changes)
    take_out(gold, *members)
    drain(extension)
    assert len(remote.members("Gold")) == 3
    AudienceMapping.objects.update(remove_leavers=True, is_paused=False, problem="")
    run(extension)
    assert remote.members("Gold") == []


def test_nobody_joins_while_a_mapping_is_paused(connect: Connect, remote):
    extension, _, _ = mapped_later(connect, remote)
    AudienceMapping.objects.update(is_paused=True)
    run(extension)
    assert remote.lists == {}
    AudienceMapping.objects.update(is_paused=False)
    run(extension, "audiences")
    assert remote.members("Gold") == ["M-0", "M-1", "M-2"]


def test_an_audience_run_sends_no_changed_profile_but_those_who_join(connect: Connect, remote):
    extension, gold, members = mapped_later(connect, remote)
    members[0].points_balance = 9
    members[0].save()
    (new,) = people(extension.tenant, 1, start=50)
    put_in(gold, new, mark=False)
    run(extension, "audiences")
    assert remote.members("Gold") == ["M-0", "M-1", "M-2", "M-50"]
    assert remote.document("M-0")["Points"] == 0
    assert run(extension).sent == 1


def test_a_held_member_leaves_the_list_all_the_same(connect: Connect, remote):
    extension, gold, members = mapped_later(connect, remote)
    run(extension)
    take_out(gold, members[0], mark=False)
    touch(members[0], email="")
    drain(extension)
    assert remote.members("Gold") == ["M-1", "M-2"]


def test_a_small_first_run_joins_after_the_profiles_are_there(connect: Connect, remote):
    """Also where another worker takes the list call while the profiles are still on their way."""
    tenant = make_tenant()
    gold = make_audience(tenant, "gold")
    extension = connect(tenant, lists={gold: "Gold"})
    put_in(gold, *people(tenant, 3), mark=False)
    started = plan(extension)
    (single,), (join,) = batches("singles"), batches("joins")
    SyncBatch.objects.filter(pk=single.pk).update(
        owner="00000000-0000-0000-0000-000000000001", lease_until=timezone.now() + timedelta(hours=1)
    )
    from integrations.services import claims, sending

    sending.work(claims.claim_batch(extension.pk, "bulk"))
    join.refresh_from_db()
    assert (join.state, join.attempts, join.owner) == ("planned", 0, None)
    assert join.not_before is not None
    SyncBatch.objects.filter(pk=single.pk).update(owner=None, lease_until=None)
    drain(extension)
    started.refresh_from_db()
    assert (started.status, started.sent) == ("succeeded", 6)
    assert remote.members("Gold") == ["M-0", "M-1", "M-2"]
    assert remote.count("read_profiles") == 0


def test_a_member_who_turns_round_while_leaving_is_looked_at_again(connect: Connect, remote):
    extension, gold, members = mapped_later(connect, remote)
    run(extension)
    take_out(gold, members[0], mark=False)
    plan(extension)
    put_in(gold, members[0])
    tasks.work_live(extension.pk)
    assert sent(extension, members[0]).due_at is None
    drain(extension)
    assert remote.members("Gold") == ["M-0", "M-1", "M-2"]


def test_a_member_who_turns_round_while_joining_is_looked_at_again(connect: Connect, remote):
    extension, gold, members = mapped_later(connect, remote)
    plan(extension)
    take_out(gold, members[0])
    tasks.work_live(extension.pk)
    assert sent(extension, members[0]).due_at is None
    drain(extension)
    assert remote.members("Gold") == ["M-1", "M-2"]
