"""Events: each one once, in a member's order, as history where they are late."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from integrations import tasks
from integrations.errors import ConfigurationError, RowsRejected, Temporary
from integrations.models import Delivery, EventMapping, SentProfile, SyncBatch, SyncRow, SyncRun
from integrations.planning import messages
from integrations.services import clock, course, reruns, routing, sync
from loyalty.models import OutboxEvent
from tests.services.builders import drain, happen, people, run, touch
from tests.services.conftest import Connect, step

pytestmark = pytest.mark.django_db


def told(remote):
    return [event.properties["n"] for event in remote.events]


def numbered(member, *numbers, **fields):
    return [happen(member, properties={"n": number}, **fields) for number in numbers]


def ago(**delta):
    return timezone.now() - timedelta(**delta)


def test_an_event_is_told_with_the_values_of_now(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1, points_balance=30)
    (event,) = numbered(member, 1)
    drain(extension)
    (found,) = remote.events
    assert (found.uid, found.metric, found.history) == (str(event.uid), "Points Earned", False)
    assert found.sent_with == {"external_id": "M-0", "email": "m0@acme.test", "Points": 30}
    assert SentProfile.objects.filter(payload__isnull=False).count() == 0  # an event proves no profile
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.settled_at is None) == ("sent", False)
    row = SyncRow.objects.get()
    assert (row.action, row.what, row.delivery_id) == ("event", "Points Earned", delivery.pk)


@pytest.mark.parametrize("policy", ["", "fill_empty", "keep_theirs", "max"])
def test_an_event_carries_only_what_is_ours_to_say(connect: Connect, remote, policy):
    extension = connect(merge_policy=policy)
    (member,) = people(extension.tenant, 1, first_name="Ana", phone="+441632960000", points_balance=30)
    numbered(member, 1)
    drain(extension)
    names = {"external_id": "M-0", "email": "m0@acme.test"}
    assert remote.events[0].sent_with == (names | {"Points": 30} if policy == "" else names)


def test_where_an_event_fails_the_members_later_ones_wait_behind_it(connect: Connect, remote):
    extension = connect()
    first, second = people(extension.tenant, 2)
    (bad, *_) = numbered(first, 1, 2)
    numbered(second, 3)
    down = [True]
    remote.checks["send_event"] = lambda write: (
        Temporary("Down.") if down and write.uid == str(bad.uid) else None
    )
    step(extension)
    assert told(remote) == [3]
    numbered(first, 4)
    step(extension)
    assert told(remote) == [3]
    down.clear()
    drain(extension)
    assert told(remote) == [3, 1, 2, 4]


def test_a_refused_event_does_not_hold_the_later_ones(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    numbered(member, 1, 2)
    remote.fail("send_event", RowsRejected("No."))
    drain(extension)
    assert told(remote) == [2]
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["rejected", "sent"]


@pytest.mark.parametrize("count", [5, 150])
def test_many_events_arrive_once_and_in_order(connect: Connect, remote, count):
    extension = connect()
    members = people(extension.tenant, 3)
    for number in range(count):
        numbered(members[number % 3], number)
    drain(extension)
    assert told(remote) == list(range(count))
    assert (remote.count("submit") > 0) is (count > 100)
    drain(extension)
    assert len(remote.events) == count


def test_what_is_late_or_history_starts_nothing_and_carries_names_alone(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1, points_balance=30)
    numbered(member, 1, occurred_at=ago(hours=25))
    numbered(member, 2, history=True)
    numbered(member, 3, created_at=ago(days=2))  # older than the connection
    numbered(member, 4, occurred_at=ago(hours=23))
    drain(extension)
    assert [(event.properties["n"], event.history) for event in remote.events] == [
        (1, True),
        (2, True),
        (3, True),
        (4, False),
    ]
    assert ["Points" in event.sent_with for event in remote.events] == [False, False, False, True]


def test_a_kind_that_is_off_is_not_told_and_a_renamed_one_has_its_name(connect: Connect, remote):
    extension = connect()
    EventMapping.objects.create(extension=extension, kind="points_earned", metric="Stars Earned")
    EventMapping.objects.create(extension=extension, kind="tier_lost", metric="Tier Lost", is_enabled=False)
    (member,) = people(extension.tenant, 1)
    numbered(member, 1)
    numbered(member, 2, kind="tier_lost")
    numbered(member, 3, kind="tier_achieved")
    drain(extension)
    assert [event.metric for event in remote.events] == ["Stars Earned", "Tier Achieved"]
    assert Delivery.objects.count() == 2


def test_events_off_tells_nothing_and_leaves_the_lane_at_rest(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    numbered(member, 1)
    routing.route(extension)
    type(extension).objects.update(events_enabled=False)
    numbered(member, 2)
    assert run(extension, "changes").status == "succeeded"
    assert list(Delivery.objects.values_list("event__properties__n", "state")) == [(1, "open")]
    assert remote.events == []
    type(extension).objects.update(events_enabled=False)
    type(extension).objects.get().lanes.update(nudged=False)
    assert clock._due_lanes() == []


def test_events_off_refuses_a_run_of_events_in_words(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    numbered(member, 1)
    ended = run(extension, "events")
    type(extension).objects.update(events_enabled=False)
    extension.refresh_from_db()
    with pytest.raises(ConfigurationError, match=r"sends no events\. Switch its events on"):
        sync.start(extension, kind="events")
    ended.refresh_from_db()
    with pytest.raises(ConfigurationError, match="sends no events"):
        reruns.create(SyncRun.objects.get(pk=ended.pk), failed_only=False)


def test_events_switched_off_in_the_middle_are_planned_no_more_and_the_run_ends(
    connect: Connect, remote, monkeypatch
):
    monkeypatch.setattr(course, "EVENTS_AT_ONCE", 120)
    extension = connect()
    members = people(extension.tenant, 200)
    for number, member in enumerate(members):
        numbered(member, number)
    started = sync.start(extension, kind="events")
    for _ in range(3):
        course.advance(extension)
    type(extension).objects.update(events_enabled=False)
    drain(extension)
    started.refresh_from_db()
    assert (started.status, started.sent, started.planned) == ("succeeded", 120, 120)
    assert told(remote) == list(range(120))
    type(extension).objects.update(events_enabled=True)
    extension.refresh_from_db()
    drain(extension)
    assert told(remote) == list(range(200))


def test_a_held_members_events_wait_and_go_when_it_is_mended(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    touch(member, email="")
    numbered(member, 1, 2)
    drain(extension)
    assert remote.events == []
    assert set(Delivery.objects.values_list("state", "code")) == {("held", "no_identifier")}
    touch(member, email="m0@acme.test")
    drain(extension)
    assert told(remote) == [1, 2]
    assert not SyncRow.objects.exclude(verdict="sent").filter(healed_at=None).exists()


def test_held_events_go_also_where_the_mended_profile_needs_no_call(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    touch(member, email_malformed=True)
    drain(extension)
    numbered(member, 1)
    drain(extension)
    assert remote.events == []
    touch(member, email_malformed=False)
    drain(extension)
    assert told(remote) == [1]


def test_a_full_run_tells_what_is_older_than_the_connection_as_history(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 120)
    for number, member in enumerate(members):
        numbered(member, number, created_at=ago(days=30), occurred_at=ago(days=30))
    OutboxEvent.objects.update(routed_at=timezone.now())  # routed when there was no connection
    drain(extension)
    assert remote.events == []
    ended = run(extension)
    assert ended.status == "succeeded"
    assert all(event.history for event in remote.events) and len(remote.events) == 120
    assert len(run_and_count(extension, remote)) == 120


def run_and_count(extension, remote):
    run(extension)
    return remote.uids()


def test_a_changes_run_tells_waiting_events_and_an_audience_run_does_not(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    numbered(member, 1)
    started = sync.start(extension, kind="audiences")
    while course.advance(extension):
        pass
    started.refresh_from_db()
    assert (started.status, remote.events) == ("succeeded", [])
    assert run(extension, "changes").sent == 1
    assert told(remote) == [1]


def test_an_event_waits_until_it_is_known_whose_profile_it_is(connect: Connect, remote):
    """Where existing profiles are left alone, an event must not make the profile and hide who did."""
    extension = connect(merge_policy="skip_existing")
    remote.profiles["P9"] = {"values": {"email": "m0@acme.test"}, "properties": {}}
    theirs, ours = people(extension.tenant, 2, points_balance=5)
    numbered(theirs, 1)
    numbered(ours, 2)
    step(extension)
    assert remote.events == []
    run(extension)
    drain(extension)
    assert sorted(told(remote)) == [1, 2]
    assert {event.properties["n"]: "Points" in event.sent_with for event in remote.events} == {
        1: False,
        2: True,
    }
    assert remote.profiles["P9"]["properties"] == {}


def test_a_failed_event_is_sent_again_under_its_uid(connect: Connect, remote, settings):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    (event,) = numbered(member, 1)
    remote.fail("send_event", *[Temporary("Down.")] * settings.BATCH_ATTEMPTS)
    ended = run(extension, "events")
    assert (ended.status, ended.failed) == ("failed", 1)
    assert Delivery.objects.get().state == "failed"
    again = reruns.create(ended, failed_only=True)
    assert (again.member_ids, len(again.delivery_ids)) == ([], 1)
    drain(extension)
    again.refresh_from_db()
    assert (again.status, again.sent, remote.uids()) == ("succeeded", 1, [str(event.uid)])
    assert SyncRow.objects.get(run=ended).healed_at is not None


def test_an_erased_members_events_are_left_out(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 2)
    numbered(members[0], 1)
    numbered(members[1], 2)
    remote.fail("send_event", Temporary("Down."), Temporary("Down."))
    sync.start(extension, kind="events")
    step(extension)
    members[0].delete()
    drain(extension)
    assert told(remote) == [2]


def test_a_batch_that_waits_is_not_overtaken_by_its_members_later_events(connect: Connect, remote, fake):
    fake.limits = replace(fake.limits, events_per_call=110)
    extension = connect()
    one, other = people(extension.tenant, 2)
    numbered(one, *range(100))
    numbered(other, *range(100, 130))
    numbered(one, *range(130, 140))
    remote.fail("submit", Temporary("Down."))
    tasks.work_live(extension.pk)
    assert told(remote) == []  # ten of the other's are in the first batch too, so all the rest waits
    drain(extension)
    assert [n for n in told(remote) if n < 100 or n >= 130] == [*range(100), *range(130, 140)]
    assert [n for n in told(remote) if 100 <= n < 130] == list(range(100, 130))


def test_others_events_do_not_wait_for_the_batch_that_waits(connect: Connect, remote, fake):
    fake.limits = replace(fake.limits, events_per_call=110)
    extension = connect()
    one, other = people(extension.tenant, 2)
    numbered(one, *range(110))
    numbered(other, 110)
    numbered(one, 111)
    remote.fail("submit", Temporary("Down."))
    tasks.work_live(extension.pk)
    assert told(remote) == [110]
    drain(extension)
    assert told(remote) == [110, *range(110), 111]


def test_halves_of_a_refused_body_keep_a_members_order(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 2)
    for number in range(128):
        numbered(members[number % 2], number)
    bad = {str(event.uid) for event in OutboxEvent.objects.filter(properties__n__in=[5, 90])}

    def check(detail):
        return RowsRejected("Some.") if bad & {row["uid"] for row in detail[1]["rows"]} else None

    remote.checks["submit"] = check
    remote.fail("submit", None, None, Temporary("Down."))
    ended = run(extension, "events")
    assert (ended.sent, ended.rejected) == (126, 2)
    assert told(remote) == [number for number in range(128) if number not in (5, 90)]
    assert remote.count("submit") <= 2 * 2 * 7 + 4
    assert SyncBatch.objects.filter(kind="events").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_later_event_is_not_routed_before_an_earlier_one(connect: Connect, fake):
    """A router that has not committed yet holds the next one back."""
    extension = connect()
    (member,) = people(extension.tenant, 1)
    numbered(member, 1)
    second = threading.Thread(target=route_alone, args=(extension.tenant_id,))
    with transaction.atomic():
        assert messages.route(extension.tenant_id) == 1
        second.start()
        second.join(0.5)
        assert second.is_alive()
    second.join(10)
    assert not second.is_alive()


def route_alone(tenant_id):
    try:
        messages.route(tenant_id)
    finally:
        connections.close_all()


def test_what_just_happened_does_not_wait_behind_history(connect: Connect, remote, monkeypatch):
    from integrations.planning import messages
    from integrations.services import relay

    extension = connect()
    members = people(extension.tenant, 30)
    run(extension)
    for member in members:
        happen(member)
    messages.route(extension.tenant_id)
    Delivery.objects.update(history=True)
    happen(members[0], kind="points_redeemed")
    messages.route(extension.tenant_id)
    monkeypatch.setattr(relay, "EVENTS_AT_ONCE", 5)
    job = relay.live_run(extension)
    assert relay._plan_events(job) == 2  # in the order in which they happened to that member
    taken = Delivery.objects.filter(state="sending").order_by("event_id")
    assert [row.event.kind for row in taken] == ["points_earned", "points_redeemed"]
    sync.start(extension, kind="full")
    assert relay._plan_events(job) == 0  # the job carries the rest
    drain(extension)
    assert not Delivery.objects.exclude(state="sent").exists()


def test_history_is_added_in_parts(connect: Connect, remote, monkeypatch):
    from integrations.planning import messages

    monkeypatch.setattr(messages, "HISTORY_AT_ONCE", 4)
    extension = connect()
    members = people(extension.tenant, 11)
    for member in members:
        happen(member)
    messages.route(extension.tenant_id)
    Delivery.objects.all().delete()
    run(extension)
    assert Delivery.objects.filter(state="sent", history=True).count() == 11
