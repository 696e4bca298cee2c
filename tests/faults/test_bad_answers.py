"""Answers that are late, broken or refuse: everything arrives once in the end."""

import urllib.request

import pytest

from integrations import tasks
from integrations.models import AudienceMapping, SyncBatch, SyncRow
from integrations.services import connections, sync
from tests.faults.conftest import Connect, drain
from tests.faults.shop import assert_all_is_there, open_shop
from tests.klaviyo.sandbox_process import SandboxAccount

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
IMPORT = "POST /api/profile-bulk-import-jobs"
EVENTS = "POST /api/event-bulk-create-jobs"
ANYTHING = "*"


def full(shop, **options):
    run = sync.start(shop.extension, kind="full")
    drain(shop.extension, **options)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("endpoint", [IMPORT, EVENTS, "POST /api/lists"])
def test_the_answer_is_lost_after_the_work_was_done(connect: Connect, account: SandboxAccount, endpoint):
    shop = open_shop(connect)
    account.fault(endpoint, "timeout_after_commit", times=2)
    run = full(shop)
    assert run.status == "succeeded", (run.note, run.counts)
    assert account.faults()[0]["fired"] == (
        1 if endpoint == "POST /api/lists" else 2
    )  # the list is found by name
    assert_all_is_there(account, shop)


def test_single_writes_and_events_whose_answers_are_lost(connect: Connect, account: SandboxAccount):
    shop = open_shop(connect, members=8, gold=5, events=6)
    account.fault("POST /api/profile-import", "timeout_after_commit", times=2, after=2)
    account.fault("POST /api/events", "timeout_after_commit", times=2, after=1)
    run = full(shop)
    assert run.status == "succeeded", (run.note, run.counts)
    assert_all_is_there(account, shop, gold=5)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "html_502"},
        {"kind": "broken_json"},
        {"kind": "reset"},
        {"kind": "throttle", "seconds": 1},
    ],
    ids=lambda fault: fault["kind"],
)
def test_calls_that_fail_now_and_then(connect: Connect, account: SandboxAccount, fault):
    shop = open_shop(connect)
    account.fault(ANYTHING, times=6, probability=0.6, seed=4, **fault)
    run = full(shop)
    assert run.status == "succeeded", (run.note, run.counts)
    assert account.faults()[0]["fired"] >= 4
    assert_all_is_there(account, shop)


def test_a_job_that_lags_is_waited_for(connect: Connect, account: SandboxAccount):
    shop = open_shop(connect)
    account.lag(1.5)
    run = sync.start(shop.extension, kind="full")
    for _ in range(4):
        tasks.work_bulk(shop.extension.pk)
    run.refresh_from_db()
    assert (run.phase, run.accepted, run.sent) == ("send", 240, 0)
    drain(shop.extension)
    run.refresh_from_db()
    assert (run.status, run.accepted) == ("succeeded", 0)
    assert_all_is_there(account, shop)


def test_a_list_that_is_deleted_in_the_middle(connect: Connect, account: SandboxAccount):
    shop = open_shop(connect)
    run = sync.start(shop.extension, kind="full")
    from integrations.services import course

    while not SyncBatch.objects.exists():
        course.advance(shop.extension)
    (made,) = account.lists()
    delete_list(shop.extension, account, made["id"])
    drain(shop.extension)
    run.refresh_from_db()
    assert run.status == "partly_failed" and "“Gold” does not exist" in run.note
    assert account.state()["profiles"] == 240
    assert account.lists() == []
    assert AudienceMapping.objects.get().memberships.count() == 0

    AudienceMapping.objects.update(problem="", list_id="", read_at=None)
    assert full(shop).status == "succeeded"
    assert_all_is_there(account, shop)


def delete_list(extension, account, list_id):
    request = urllib.request.Request(
        f"{extension.base_url}/api/lists/{list_id}",
        method="DELETE",
        headers={"Authorization": f"Klaviyo-API-Key {account.key}", "revision": "2026-07-15"},
    )
    urllib.request.urlopen(request, timeout=10).close()


@pytest.mark.parametrize(("kind", "after"), [("revoked", 1), ("scope_missing", 3), ("revoked", 6)])
def test_a_key_that_is_refused_in_the_middle_and_accepted_again(
    connect: Connect, account: SandboxAccount, kind, after
):
    shop = open_shop(connect)
    account.fault(ANYTHING, kind, times=None, after=after)
    run = full(shop)
    assert (shop.extension.health, run.status) == ("attention", "waiting")
    assert run.note == shop.extension.health_reason != ""
    calls = account.stats()["totals"]["calls"]
    for _ in range(3):
        tasks.work_bulk(shop.extension.pk)
        tasks.work_live(shop.extension.pk)
    assert account.stats()["totals"]["calls"] == calls
    account.clear_faults()
    connections.check(shop.extension)
    drain(shop.extension)
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert_all_is_there(account, shop)
    assert not SyncRow.objects.exclude(verdict="sent").exists()


# Rates ----------------------------------------------------------------------------------------------


def test_with_the_real_limits_nothing_is_refused(connect: Connect, account: SandboxAccount):
    account.limits(1)
    shop = open_shop(connect, members=90, gold=40, events=60)
    assert full(shop, waits=True).status == "succeeded"
    totals = account.stats()["totals"]
    assert totals["throttled"] <= totals["calls"] * 0.01
    assert_all_is_there(account, shop, gold=40)


def test_a_storm_of_429_is_obeyed(connect: Connect, account: SandboxAccount):
    """Another tool of the merchant uses most of the rate: we are refused, wait, and all arrives."""
    account.limits(0.2)
    shop = open_shop(connect, members=60, gold=20, events=20)
    run = full(shop, waits=True, seconds=60)
    assert run.status == "succeeded", (run.note, run.counts)
    totals = account.stats()["totals"]
    assert 0 < totals["throttled"] <= totals["calls"] * 0.25
    assert max(SyncBatch.objects.values_list("attempts", flat=True)) == 1
    assert_all_is_there(account, shop, gold=20)
