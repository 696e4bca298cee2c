"""One job a connection at a time, one of a kind behind it."""

import pytest

from integrations.errors import ConfigurationError
from integrations.models import SyncBatch, SyncRun
from integrations.services import connections, course, sync
from tests.factories import make_tenant
from tests.services.builders import drain, is_planned, people, run
from tests.services.conftest import Connect

pytestmark = pytest.mark.django_db


def begin(extension, **options):
    started = sync.start(extension, **options)
    assert course.advance(extension)
    started.refresh_from_db()
    return started


def test_a_second_start_waits_and_a_third_joins_it(connect: Connect):
    extension = connect()
    first = begin(extension, kind="full")
    assert first.status == "running"
    second, third = sync.start(extension, kind="full"), sync.start(extension, kind="full")
    assert second.pk == third.pk != first.pk
    assert second.status == "queued"
    drain(extension)
    assert list(SyncRun.objects.values_list("status", flat=True)) == ["succeeded"] * 2


def test_other_kinds_and_forced_runs_queue_behind_in_order(connect: Connect):
    extension = connect()
    kinds = [("full", False), ("changes", False), ("full", True), ("audiences", False), ("events", False)]
    started = [sync.start(extension, kind=kind, force=force) for kind, force in kinds]
    assert len({one.pk for one in started}) == 5
    drain(extension)
    ended = SyncRun.objects.jobs().order_by("started_at").values_list("kind", "force", "status")
    assert list(ended) == [(kind, force, "succeeded") for kind, force in kinds]


def test_only_one_runs_at_a_time(connect: Connect):
    extension = connect()
    begin(extension, kind="full")
    sync.start(extension, kind="changes")
    while SyncRun.objects.filter(status="queued").exists():
        assert SyncRun.objects.filter(status="running").count() <= 1
        course.advance(extension)


def test_what_cannot_start_says_why(connect: Connect):
    extension = connect()
    for kind in ("live", "nonsense", "pull"):
        with pytest.raises(ConfigurationError, match="Choose"):
            sync.start(extension, kind=kind)
    connections.set_active(extension, False)
    with pytest.raises(ConfigurationError, match="switched off"):
        sync.start(extension)
    assert not SyncRun.objects.exists()


def test_a_run_remembers_the_mappings_as_they_were(connect: Connect):
    extension = connect(fields={"points_balance": "Points"}, only_opted_in=True)
    started = sync.start(extension, kind="full", reason="w" * 400)
    assert started.mappings["fields"] == [["points_balance", "Points", ""]]
    assert started.mappings["only_opted_in"] is True
    assert len(started.reason) == 300


def test_cancelling_lets_go_what_was_not_sent(connect: Connect):
    extension = connect()
    people(extension.tenant, 150)
    started = begin(extension, kind="full")
    while not is_planned():
        course.advance(extension)
    assert sync.cancel(started, by="Ana")
    assert not sync.cancel(started, by="Ana")
    started.refresh_from_db()
    assert (started.status, started.note) == ("cancelled", "Cancelled by Ana.")
    assert list(SyncBatch.objects.values_list("state", "code")) == [("dead", "cancelled")]


def test_a_cancelled_run_sends_nothing_more(connect: Connect, remote):
    """Neither a batch that another worker held at the time, nor one that waited to be tried again."""
    extension = connect()
    people(extension.tenant, 150)
    started = begin(extension, kind="full")
    while not is_planned():
        course.advance(extension)
    SyncBatch.objects.update(state="sending", owner="00000000-0000-0000-0000-000000000001")
    sync.cancel(started, by="Ana")
    SyncBatch.objects.update(owner=None)
    from integrations.services import claims, sending

    sending.work(claims.claim_batch(extension.pk, "bulk"))
    assert remote.count("submit") == 0
    assert SyncBatch.objects.get().state == "dead"
    started.refresh_from_db()
    assert started.status == "cancelled"


def test_a_queued_run_can_be_cancelled(connect: Connect):
    extension = connect()
    started = sync.start(extension, kind="full")
    assert sync.cancel(started, by="Ana")
    assert not course.advance(extension)


def test_nothing_to_do_succeeds_at_once(connect: Connect, remote):
    ended = run(connect(), "full")
    assert (ended.status, ended.calls, ended.planned) == ("succeeded", 0, 0)
    assert ended.seconds is not None and ended.note == ""
    assert remote.calls == []


def test_tenants_do_not_see_each_other(connect: Connect, remote):
    people(make_tenant(), 3)
    ended = run(connect(), "full")
    assert (ended.sent, ended.unchanged, remote.profiles) == (0, 0, {})
