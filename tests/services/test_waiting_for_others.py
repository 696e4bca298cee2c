"""A run and the batches of others: waited for where they carry its members, and not for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.models import SentProfile, SyncBatch, SyncRun
from integrations.services import course, sync
from tests.services.builders import drain, people, run, sent, touch
from tests.services.conftest import Connect, hurry, step

pytestmark = pytest.mark.django_db


@pytest.fixture
def hanging(connect: Connect, remote):
    """A live job of M-0 … M-119 that hangs at the destination."""
    extension = connect()
    members = people(extension.tenant, 130)
    run(extension)
    remote.holds_jobs = True
    touch(*members[:120], points_balance=7)
    step(extension)
    step(extension)
    assert SentProfile.objects.filter(in_flight__isnull=False).count() == 120
    remote.calls.clear()
    return extension, members


def go_on(extension, times=6):
    for _ in range(times):
        hurry(extension)
        tasks.work_bulk(extension.pk)


def age(**delta):
    SyncBatch.objects.update(created_at=timezone.now() - timedelta(**delta))


def test_a_run_waits_for_its_members_in_the_batches_of_others(hanging, remote):
    extension, _ = hanging
    started = sync.start(extension, kind="full")
    go_on(extension)
    started.refresh_from_db()
    assert (started.status, started.phase) == ("running", "send")
    remote.finish_jobs()
    drain(extension)
    started.refresh_from_db()
    assert started.status == "succeeded"


def test_a_job_that_hangs_there_does_not_hold_every_run(hanging, remote):
    extension, _ = hanging
    started = sync.start(extension, kind="full")
    age(minutes=11)
    go_on(extension)
    started.refresh_from_db()
    assert (started.status, started.unchanged) == ("succeeded", 10)


def test_what_others_plan_later_is_not_waited_for(hanging, remote):
    extension, members = hanging
    age(minutes=11)
    started = sync.start(extension, kind="full")
    for _ in range(4):
        course.advance(extension)
    started.refresh_from_db()
    live = SyncRun.objects.filter(kind="live").latest("pk")
    SyncBatch.objects.create(run=live, extension=extension, kind="profiles", member_ids=[members[125].pk])
    assert course.advance(extension)
    started.refresh_from_db()
    assert started.phase != "send" or started.status == "succeeded"


def test_force_holds_for_members_who_were_on_their_way_elsewhere(hanging, remote):
    extension, members = hanging
    started = sync.start(extension, kind="full", force=True)
    go_on(extension)
    remote.finish_jobs()
    remote.holds_jobs = False
    drain(extension)
    started.refresh_from_db()
    assert (started.status, started.sent) == ("succeeded", 130)
    assert sent(extension, members[0]).run_id == started.pk


def test_changes_by_force_sends_who_is_marked_and_nobody_else(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 3)
    run(extension)
    touch(members[1])
    started = sync.start(extension, kind="changes", force=True)
    tasks.work_bulk(extension.pk)
    started.refresh_from_db()
    assert (started.status, started.sent, started.planned) == ("succeeded", 1, 1)
