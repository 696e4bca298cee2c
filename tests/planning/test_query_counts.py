"""Ten members or a thousand: the same number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import SyncBatch
from integrations.services import claims, course, sending, sync
from tests.factories import make_audience, make_tenant
from tests.services.builders import happen, people, put_in
from tests.services.conftest import Connect, connect, fake, hurry, remote

pytestmark = pytest.mark.django_db
__all__ = ["connect", "fake", "remote"]  # fixtures


@pytest.fixture(autouse=True)
def always_in_jobs(settings):
    settings.LIVE_SINGLE_LIMIT = 0


def filled(connect: Connect, count, policy="overwrite"):
    tenant = make_tenant()
    gold = make_audience(tenant)
    extension = connect(tenant, lists={gold: f"Gold {count}"}, merge_policy=policy)
    members = people(tenant, count, start=count * 10)  # nobody of another tenant
    put_in(gold, *members, mark=False)
    people(tenant, count // 2, start=50_000, email_malformed=True)  # held
    return extension, members


def to_phase(extension, phase, kind="full"):
    run = sync.start(extension, kind=kind)
    while True:
        run.refresh_from_db()
        if run.phase == phase:
            return run
        course.advance(extension)


def counted(work):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        work()
    return len(queries)


def per_stage(connect, count):
    """Queries of planning, of packing and handing over, and of settling."""
    extension, _ = filled(connect, count)
    to_phase(extension, "plan")
    stages = [counted(lambda: course.advance(extension))]
    for _ in range(2):
        hurry(extension)
        batch = claims.claim_batch(extension.pk, "bulk")
        stages.append(counted(lambda batch=batch: sending.work(batch)))
    assert SyncBatch.objects.filter(extension=extension).get().state == "settled"
    return stages


def test_a_run_of_profiles(connect: Connect):
    assert per_stage(connect, 1000) == per_stage(connect, 10)


def test_a_run_of_events(connect: Connect):
    def stages(count):
        extension = connect()
        for member in people(extension.tenant, count):
            happen(member)
        to_phase(extension, "events", "events")
        planning = counted(lambda: course.advance(extension))
        batch = claims.claim_batch(extension.pk, "bulk")
        sent = counted(lambda: sending.work(batch))
        assert SyncBatch.objects.filter(extension=extension).get().state == "settled"
        return planning, sent

    assert stages(400) == stages(10)


def test_refused_events_settle_in_the_same_number_of_queries(connect: Connect, remote):
    from integrations.errors import Refusal, RowsRejected

    def settling(count):
        extension = connect()
        for member in people(extension.tenant, count):
            happen(member)
        to_phase(extension, "events", "events")
        course.advance(extension)
        batch = claims.claim_batch(extension.pk, "bulk")
        remote.fail("submit", RowsRejected("No.", [Refusal("bad", "Bad.", n) for n in range(count)]))
        return counted(lambda: sending.work(batch))

    assert settling(200) == settling(10)


def test_a_run_in_which_nothing_changed(connect: Connect):
    def planning(count):
        extension, _ = filled(connect, count)
        from tests.services.builders import run

        run(extension)
        to_phase(extension, "plan")
        return counted(lambda: course.advance(extension))

    assert planning(300) == planning(10)


def test_reading_first_takes_queries_by_the_call_not_by_the_member(connect: Connect, remote):
    """A hundred people a call; each call renews the lease and keeps what was read."""

    def packing(count):
        extension, _ = filled(connect, count, policy="fill_empty")
        to_phase(extension, "send")
        batch = claims.claim_batch(extension.pk, "bulk")
        before = remote.count("read_profiles")
        queries = counted(lambda: sending.work(batch))
        return queries, remote.count("read_profiles") - before

    (few, few_reads), (many, many_reads) = packing(100), packing(500)
    assert (few_reads, many_reads) == (2, 10)  # by external id, then by e-mail
    assert many - few <= 4 * (500 - 100) / 100
