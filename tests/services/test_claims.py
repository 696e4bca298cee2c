"""Leases: one worker at a time, and a late one writes nothing."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Lane, LaneName, SentProfile, SyncBatch, SyncRow
from integrations.services import claims, clock, course, sending, sync
from portal.runtime import owner
from portal.runtime.models import Worker
from tests.services.builders import drain, is_planned, people
from tests.services.conftest import Connect, hurry

pytestmark = pytest.mark.django_db


@pytest.fixture
def become(monkeypatch):
    """`become(name)`: this process is that worker from now on."""
    ids = {}

    def be(name):
        ids.setdefault(name, uuid.uuid4())
        monkeypatch.setattr(owner, "current", lambda: ids[name])
        return ids[name]

    return be


def planned(extension, count=120):
    """A run with one planned batch of profiles."""
    people(extension.tenant, count)
    started = sync.start(extension, kind="full")
    while not is_planned():
        course.advance(extension)
    return started


def beat(worker_id, seconds_ago=0):
    Worker.objects.create(
        id=worker_id, role="bulk", host="h", pid=1, beat_at=timezone.now() - timedelta(seconds=seconds_ago)
    )


def test_a_batch_has_one_owner(connect: Connect, become):
    extension = connect()
    planned(extension)
    become("first")
    batch = claims.claim_batch(extension.pk, "bulk")
    assert (batch.attempts, batch.owner) == (1, owner.current())
    become("second")
    assert claims.claim_batch(extension.pk, "bulk") is None
    assert not claims.has_due_batch(extension.pk, "bulk")


def test_a_batch_that_waits_is_not_claimed_before_its_time(connect: Connect):
    extension = connect()
    planned(extension)
    SyncBatch.objects.update(not_before=timezone.now() + timedelta(seconds=30))
    assert claims.claim_batch(extension.pk, "bulk") is None
    hurry(extension)
    assert claims.has_due_batch(extension.pk, "bulk")
    assert claims.claim_batch(extension.pk, "bulk") is not None


def test_looking_at_a_job_is_no_attempt(connect: Connect, remote):
    extension = connect()
    planned(extension)
    remote.holds_jobs = True
    sending.work(claims.claim_batch(extension.pk, "bulk"))
    for _ in range(4):
        hurry(extension)
        sending.work(claims.claim_batch(extension.pk, "bulk"))
    batch = SyncBatch.objects.get()
    assert (batch.state, batch.attempts, batch.polls) == ("accepted", 1, 4)


@pytest.mark.parametrize("moment", ["packing", "sending", "looking"])
def test_a_worker_that_comes_back_late_writes_nothing(connect: Connect, remote, become, moment):
    extension = connect(merge_policy="fill_empty")
    run = planned(extension)
    become("first")
    batch = claims.claim_batch(extension.pk, "bulk")
    if moment == "looking":
        sending.work(batch)
        hurry(extension)
        batch = claims.claim_batch(extension.pk, "bulk")
    thief = uuid.uuid4()
    method = {"packing": "read_profiles", "sending": "submit", "looking": "poll"}[moment]
    remote.checks[method] = lambda _: SyncBatch.objects.update(owner=thief) and None
    sending.work(batch)
    found = SyncBatch.objects.get()
    assert found.owner == thief
    assert found.state == {"packing": "planned", "sending": "sending", "looking": "accepted"}[moment]
    assert not SyncRow.objects.exists()
    assert SentProfile.objects.filter(in_flight=found.pk).count() == 120
    run.refresh_from_db()
    assert run.sent == 0

    remote.checks.clear()
    SyncBatch.objects.update(owner=None, lease_until=None)
    become("second")
    drain(extension)
    run.refresh_from_db()
    assert (run.status, run.sent, run.accepted) == ("succeeded", 120, 0)
    assert len(remote.profiles) == 120


def test_who_falls_silent_loses_batches_and_lanes_and_the_living_keep_theirs(connect: Connect, become):
    extension = connect()
    planned(extension)
    beat(become("silent"), seconds_ago=60)
    claims.claim_batch(extension.pk, "bulk")
    assert claims.take_lane(extension, LaneName.LIVE)
    beat(become("alive"))
    assert claims.take_lane(extension, LaneName.BULK)
    clock.tick()
    assert SyncBatch.objects.get().owner is None
    assert dict(Lane.objects.values_list("name", "owner")) == {"live": None, "bulk": owner.current()}
    assert claims.claim_batch(extension.pk, "bulk").attempts == 2


def test_a_lane_is_taken_by_one_and_can_be_renewed(connect: Connect, become):
    extension = connect()
    become("first")
    assert claims.take_lane(extension, LaneName.LIVE)
    assert claims.take_lane(extension, LaneName.LIVE)
    become("second")
    assert not claims.take_lane(extension, LaneName.LIVE)
    claims.leave_lane(extension, LaneName.LIVE)
    become("first")
    claims.leave_lane(extension, LaneName.LIVE)
    become("second")
    assert claims.take_lane(extension, LaneName.LIVE)


def test_a_batch_that_kills_its_workers_is_given_up(connect: Connect, remote, settings):
    extension = connect()
    run = planned(extension)
    for _ in range(settings.BATCH_ATTEMPTS):  # each worker dies before it can say anything
        assert claims.claim_batch(extension.pk, "bulk")
        SyncBatch.objects.update(owner=None, lease_until=None)
    drain(extension)
    run.refresh_from_db()
    assert (run.status, run.failed) == ("failed", 120)
    assert (SyncBatch.objects.get().state, SyncBatch.objects.get().code) == ("dead", "worker_lost")


def test_a_batch_that_is_given_up_says_its_true_last_cause(connect: Connect, remote, settings):
    extension = connect()
    planned(extension)
    for _ in range(settings.BATCH_ATTEMPTS):
        assert claims.claim_batch(extension.pk, "bulk")
        SyncBatch.objects.update(owner=None, lease_until=None, words="The network is down.", code="temporary")
    drain(extension)
    batch = SyncBatch.objects.get()
    assert (batch.state, batch.code, batch.words) == ("dead", "temporary", "The network is down.")
    assert remote.calls == []


def test_our_own_fault_is_shown_and_tried_again(connect: Connect, remote, monkeypatch, fake):
    extension = connect()
    planned(extension)

    def broken(_):
        raise KeyError("mistake")

    monkeypatch.setattr(fake, "encode_profile", broken)
    sending.work(claims.claim_batch(extension.pk, "bulk"))
    batch = SyncBatch.objects.get()
    assert (batch.state, batch.code, batch.attempts) == ("planned", "portal_error", 1)
    assert "KeyError" in batch.words and "mistake" not in batch.words
    monkeypatch.undo()
    drain(extension)
    assert len(remote.profiles) == 120


def test_calls_are_counted_at_the_batch_and_the_run(connect: Connect, remote):
    extension = connect()
    run = planned(extension)
    drain(extension)
    run.refresh_from_db()
    assert run.calls == SyncBatch.objects.get().calls == len(remote.calls) == 3  # submit, poll, refusals
