"""What happens by time and by marks: the live run of an hour, the daily look, erasures, forgetting."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.errors import AuthenticationError, ProfileGone, RowsRejected, Temporary
from integrations.models import Delivery, Erasure, Extension, Lane, SentProfile, SyncBatch, SyncRow, SyncRun
from integrations.services import clock, connections, erasures, history, lanes, routing, sync
from loyalty.models import DirtyMember, OutboxEvent
from loyalty.services import marks
from loyalty.services import members as loyalty_members
from tests.factories import make_tenant
from tests.services.builders import drain, happen, people, run, sent, touch
from tests.services.conftest import Connect, step

pytestmark = pytest.mark.django_db


def move_back(live, **delta):
    """Make the live run one of an earlier hour."""
    SyncRun.objects.filter(pk=live.pk).update(hour=live.hour - timedelta(**delta))


# The live run ---------------------------------------------------------------------------------------


def test_live_work_of_an_hour_is_one_run_that_ends_with_the_hour(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 3)
    for member in members[:2]:
        touch(member)
        drain(extension)
    live = SyncRun.objects.get()
    assert (live.kind, live.status, live.sent, live.trigger) == ("live", "running", 2, "change")
    move_back(live, hours=1)
    touch(members[2])
    drain(extension)
    live.refresh_from_db()
    assert (live.status, live.finished_at is None) == ("succeeded", False)
    assert SyncRun.objects.filter(kind="live").count() == 2


def test_a_live_run_is_not_closed_while_something_of_it_is_open(connect: Connect, remote):
    extension = connect()
    touch(*people(extension.tenant, 1))
    remote.fail("write_profile", Temporary("Down."))
    step(extension)
    live = SyncRun.objects.get()
    move_back(live, hours=1)
    SyncBatch.objects.update(not_before=timezone.now() + timedelta(hours=1))
    from integrations import tasks

    tasks.work_live(extension.pk)
    live.refresh_from_db()
    assert live.status == "running"
    drain(extension)
    live.refresh_from_db()
    assert (live.status, live.sent) == ("succeeded", 1)


def test_the_clock_wakes_the_lane_to_close_a_past_hour(connect: Connect):
    extension = connect()
    touch(*people(extension.tenant, 1))
    drain(extension)
    Lane.objects.update(nudged=False)
    assert clock._due_lanes() == []
    move_back(SyncRun.objects.get(), hours=1)
    assert clock._due_lanes() == [(extension.pk, "live")]


# Marks ----------------------------------------------------------------------------------------------


def test_a_change_of_very_many_marks_the_tenant_and_starts_one_full_run(connect: Connect, settings):
    settings.FULL_DUE_ABOVE = 4
    extension = connect()
    found = people(extension.tenant, 5)
    marks.mark_dirty(extension.tenant_id, [member.pk for member in found])
    assert DirtyMember.objects.get().member_id is None
    routing.route(extension)
    extension.refresh_from_db()
    assert extension.full_due_at is not None
    clock.tick()
    clock.tick()
    started = SyncRun.objects.get()
    assert (started.kind, started.trigger, started.status) == ("full", "change", "queued")
    extension.refresh_from_db()
    assert extension.full_due_at is None
    drain(extension)
    assert SentProfile.objects.filter(payload__isnull=False).count() == 5


def test_a_mark_makes_its_member_due_in_every_active_connection(connect: Connect, remote):
    extension = connect()
    other = connections.create(extension.tenant, destination="fake", name="Off")
    (member,) = people(extension.tenant, 1)
    touch(member, member)
    routing.route(extension)
    assert list(SentProfile.objects.values_list("extension_id", flat=True)) == [extension.pk]
    assert sent(extension, member).due_at is not None
    assert not DirtyMember.objects.exists() and other.pk != extension.pk


def test_a_mark_of_an_erased_member_is_dropped(connect: Connect):
    extension = connect()
    DirtyMember.objects.create(tenant_id=extension.tenant_id, member_id=999_999_999)
    drain(extension)
    assert not DirtyMember.objects.exists()


def test_many_due_members_go_as_a_job(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 150)
    touch(*members)
    drain(extension)
    assert len(remote.profiles) == 150
    assert remote.count("write_profile") == 0


# The clock ------------------------------------------------------------------------------------------


def test_everybody_is_looked_at_once_a_day_after_the_tenants_midnight(connect: Connect, time_machine):
    tenant = make_tenant(timezone="Pacific/Auckland")
    extension = connect(tenant)
    at = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)  # 23:30 there
    time_machine.move_to(at, tick=False)
    clock._start_due_runs(timezone.now())
    assert not SyncRun.objects.exists()
    extension.refresh_from_db()
    assert str(extension.daily_full_on) == "2026-03-01"
    time_machine.move_to(at + timedelta(minutes=20), tick=False)
    clock._start_due_runs(timezone.now())
    assert not SyncRun.objects.exists()
    time_machine.move_to(at + timedelta(minutes=31), tick=False)
    for _ in range(3):
        clock._start_due_runs(timezone.now())
    assert list(SyncRun.objects.values_list("kind", "trigger")) == [("full", "schedule")]


def test_lanes_with_work_are_woken_least_recently_served_first(connect: Connect, fake):
    first, second = connect(), connect()
    Lane.objects.update(nudged=False)
    assert clock._due_lanes() == []
    touch(*people(first.tenant, 1))
    assert clock._due_lanes() == [(first.pk, "live")]
    touch(*people(second.tenant, 1))
    Lane.objects.filter(extension=first).update(served_at=timezone.now())
    assert clock._due_lanes() == [(second.pk, "live"), (first.pk, "live")]
    clock.tick()
    assert Lane.objects.get(extension=first, name="live").tickets == 1
    assert clock._due_lanes() == []
    Lane.objects.update(ticketed_at=timezone.now() - timedelta(minutes=5))
    clock.tick()  # the task was lost
    assert Lane.objects.get(extension=first, name="live").tickets == 1


def test_nothing_is_woken_for_a_connection_that_is_off_or_needs_attention(connect: Connect):
    extension = connect()
    touch(*people(extension.tenant, 1))
    Extension.objects.update(health="attention")
    assert clock._due_lanes() == []
    Extension.objects.update(health="ok", is_active=False)
    assert clock._due_lanes() == []


def test_two_tickets_at_most(connect: Connect):
    extension = connect()
    assert [lanes.send_ticket(extension.pk, "bulk") for _ in range(3)] == [True, True, False]


# Erasures -------------------------------------------------------------------------------------------


def erase(member):
    loyalty_members.erase(member, by="test")


def test_a_person_is_erased_there_and_the_identifiers_are_forgotten(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    erase(member)
    waiting = Erasure.objects.get()
    assert json.loads(waiting.identifiers.reveal())["email"] == ["m0@acme.test"]
    drain(extension)
    waiting.refresh_from_db()
    assert waiting.done_at is not None and not waiting.identifiers
    assert remote.profiles == {}
    assert remote.calls[-1] == ("erase", ("remote_id", "P000001"))


def test_who_was_never_sent_is_not_told(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    routing.route(extension)
    erase(member)
    assert not Erasure.objects.exists()


def test_who_is_known_there_by_an_event_alone_is_told(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    happen(member)
    drain(extension)
    assert len(remote.profiles) == 1
    erase(member)
    drain(extension)
    assert remote.profiles == {}


def test_an_erasure_is_never_given_up(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    erase(member)
    remote.fail("erase", *[Temporary("Down.")] * 12)
    for _ in range(12):
        Erasure.objects.update(not_before=None)
        step(extension)
    waiting = Erasure.objects.get()
    assert (waiting.attempts, waiting.done_at, waiting.words) == (12, None, "Down.")
    Erasure.objects.update(not_before=None)
    step(extension)
    assert remote.profiles == {}


def test_who_is_gone_there_already_is_erased(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    erase(member)
    remote.fail("erase", ProfileGone("Gone."))
    drain(extension)
    assert Erasure.objects.get().done_at is not None


def forget(extension):
    """Let the waiting time of erasures pass."""
    Erasure.objects.update(not_before=None)
    step(extension)


def test_erasing_a_held_twin_spares_the_other(connect: Connect, remote):
    extension = connect()
    older, younger = people(extension.tenant, 2)
    run(extension)
    touch(younger, email=older.email)
    drain(extension)
    assert SentProfile.objects.get(member=younger).code == "shared_email"
    erase(younger)
    drain(extension)
    forget(extension)
    assert [one["values"]["email"] for one in remote.profiles.values()] == ["m0@acme.test"]
    assert Erasure.objects.get().done_at is not None


def test_an_address_that_another_member_has_is_not_used(connect: Connect, remote):
    extension = connect()
    older, younger = people(extension.tenant, 2)
    touch(younger, email=older.email)
    happen(older)
    drain(extension)
    SentProfile.objects.update(remote_id="")
    erase(older)  # the profile bears the id of the older, so it is found by that
    drain(extension)
    forget(extension)
    assert not [value for method, value in remote.calls if method == "erase" and value[0] != "remote_id"]
    assert "M-0" not in [one["values"].get("external_id") for one in remote.profiles.values()]


def test_an_erasure_waits_for_the_job_that_carries_the_person(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 130)
    remote.holds_jobs = True
    sync.start(extension, kind="full")
    step(extension)
    step(extension)
    erase(members[0])
    waiting = Erasure.objects.get()
    assert waiting.batch_ids and waiting.not_before
    forget(extension)
    assert not remote.count("erase")
    remote.holds_jobs = False
    remote.finish_jobs()
    drain(extension)
    forget(extension)
    assert len(remote.profiles) == 129
    assert "m0@acme.test" not in [one["values"]["email"] for one in remote.profiles.values()]


def test_an_erasure_waits_for_an_event_on_its_way(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    event = happen(member)
    batch = SyncBatch.objects.create(
        run=SyncRun.objects.first(), extension=extension, kind="events", state="sending"
    )
    Delivery.objects.create(
        extension=extension, event=event, member_id=member.pk, state="sending", batch=batch
    )
    erase(member)
    assert Erasure.objects.get().batch_ids == [batch.pk]
    SyncBatch.objects.filter(pk=batch.pk).update(lease_until=timezone.now() + timedelta(hours=1))
    forget(extension)
    assert not remote.count("erase")
    SyncBatch.objects.filter(pk=batch.pk).update(state="settled")
    forget(extension)
    assert remote.profiles == {}


def test_a_refused_erasure_tries_the_next_name(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    SentProfile.objects.update(remote_id="P1")
    remote.fail("erase", RowsRejected("Invalid id."))
    erase(member)
    drain(extension)
    forget(extension)
    assert remote.profiles == {}
    assert Erasure.objects.get().done_at is not None


def test_an_erasure_that_is_refused_by_every_name_stays_open(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    remote.checks["erase"] = lambda detail: RowsRejected("Invalid.")
    erase(member)
    forget(extension)
    waiting = Erasure.objects.get()
    assert (waiting.done_at, waiting.words) == (None, "Refused: Invalid.")
    assert waiting.identifiers and waiting.not_before > timezone.now() + timedelta(hours=20)
    del remote.checks["erase"]
    forget(extension)
    assert remote.profiles == {}


def test_a_refused_key_is_tried_with_one_erasure_not_with_all(connect: Connect, remote):
    extension = connect()
    for member in people(extension.tenant, 4):
        SentProfile.objects.create(extension=extension, member=member, remote_id=f"P{member.pk}")
        erase(member)
    remote.fail("erase", AuthenticationError("Gone."))
    drain(extension)
    extension.refresh_from_db()
    assert (extension.health, remote.count("erase")) == ("attention", 1)


def test_a_stored_body_does_not_bring_an_erased_person_back(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 120)
    remote.fail("submit", Temporary("Down."))
    started = sync.start(extension, kind="full")
    step(extension)
    assert SyncBatch.objects.get().body is not None
    erase(members[5])
    drain(extension)
    assert not any(one["values"]["email"] == "m5@acme.test" for one in remote.profiles.values())
    assert len(remote.profiles) == 119
    started.refresh_from_db()
    assert started.status == "succeeded"


def test_a_stored_body_of_events_does_not_bring_an_erased_person_back(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 120)
    for member in members:
        happen(member)
    remote.fail("submit", Temporary("Down."))
    sync.start(extension, kind="events")
    step(extension)
    erase(members[5])
    drain(extension)
    assert not any(one["values"]["email"] == "m5@acme.test" for one in remote.profiles.values())
    assert len(remote.events) == 119


# Forgetting -----------------------------------------------------------------------------------------


def test_history_goes_by_age_and_open_work_stays(connect: Connect, remote, settings):
    extension = connect()
    members = people(extension.tenant, 3)
    for member in members:
        happen(member)
    run(extension)
    old = timezone.now() - timedelta(days=1000)
    rows = list(SyncRow.objects.order_by("pk"))
    SyncRow.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(created_at=old)
    SyncRow.objects.filter(pk=rows[2].pk).update(
        created_at=timezone.now() - timedelta(days=90), verdict="rejected"
    )
    deliveries = list(Delivery.objects.order_by("pk"))
    Delivery.objects.filter(pk=deliveries[0].pk).update(settled_at=old)
    Delivery.objects.filter(pk=deliveries[1].pk).update(settled_at=old, state="open")
    OutboxEvent.objects.update(routed_at=old)
    gone = history.prune()
    assert gone == {
        "sent rows": 2,
        "other rows": 0,
        "batches": 0,
        "deliveries": 1,
        "events": 1,
        "alerts": 0,
        "incidents": 0,
        "runs": 0,
        "marks": 0,
    }
    assert SyncRow.objects.count() == len(rows) - 2
    SyncBatch.objects.update(settled_at=old)
    SyncRun.objects.update(created_at=old)
    DirtyMember.objects.create(tenant_id=make_tenant().pk, member_id=1)
    gone = history.prune()
    assert (gone["runs"], gone["marks"], gone["batches"]) == (1, 1, 1)
    assert list(SyncRun.objects.values_list("kind", flat=True)) in ([], ["live"])


def test_forgetting_goes_in_chunks(connect: Connect, monkeypatch):
    extension = connect()
    monkeypatch.setattr(history, "CHUNK", 7)
    run(extension)
    members = people(extension.tenant, 20)
    made = SyncRun.objects.first()
    SyncRow.objects.bulk_create(SyncRow(run=made, member=member, verdict="sent") for member in members)
    SyncRow.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert history.prune()["sent rows"] == 20


def test_waiting_events_are_counted_for_the_question_when_switching_on(connect: Connect):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    happen(member)
    assert connections.waiting_events(extension) == 1
    routing.route(extension)
    assert connections.waiting_events(extension) == 1
    assert erasures.carry(extension) == 0


# Checking connections -------------------------------------------------------------------------------


def aged(connect, minutes):
    extension = connect()
    checked_at = None if minutes is None else timezone.now() - timedelta(minutes=minutes)
    Extension.objects.filter(pk=extension.pk).update(checked_at=checked_at)
    return extension.pk


def checked_in_order(monkeypatch):
    done = []
    monkeypatch.setattr(connections, "check", lambda extension: done.append(extension.pk))
    return done


def test_connections_are_checked_longest_waiting_first(connect: Connect, monkeypatch):
    done = checked_in_order(monkeypatch)
    ages = {minutes: aged(connect, minutes) for minutes in (70, 300, None, 10)}
    tasks.check_connections()
    assert done == [ages[None], ages[300], ages[70]]


def test_checking_stops_before_the_task_would_be_ended(connect: Connect, monkeypatch):
    done = checked_in_order(monkeypatch)
    first, _ = aged(connect, None), aged(connect, 90)
    monkeypatch.setattr(tasks, "BUDGET_SECONDS", -1)
    tasks.check_connections()
    assert done == []
    monkeypatch.setattr(connections, "check", lambda extension: (done.append(extension.pk), time.sleep(0.2)))
    monkeypatch.setattr(tasks, "BUDGET_SECONDS", 0.1)
    tasks.check_connections()
    assert done == [first]
