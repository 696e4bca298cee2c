"""Several connections post for the same members at once."""

import threading

import pytest
from django.db import connection

from loyalty.models import Member, PointsEntry
from loyalty.rules.ledger_entries import EntryInput
from loyalty.services import ledger
from loyalty.services.ledger_proof import prove
from tests.factories import make_audience, make_member, make_tenant, make_tier


def together(*works):
    failures = []

    def run(work):
        try:
            work()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.django_db(transaction=True)
def test_no_balance_goes_below_zero_and_nobody_waits_for_ever():
    tenant = make_tenant()
    make_tier(tenant, "gold", 300)
    make_audience(tenant, rule={"field": "points_balance", "op": "at_least", "value": 100})
    names = [make_member(tenant).external_id for _ in range(12)]
    ledger.post(tenant, [EntryInput(name, 250, "start", f"start-{name}") for name in names])

    def spend(worker, order):
        for turn in range(6):
            batch = [EntryInput(name, -60, "spend", f"{worker}-{turn}-{name}") for name in order]
            batch += [EntryInput(name, 10, "earn", f"{worker}-{turn}-{name}-e") for name in order]
            ledger.post(tenant, batch)

    together(
        lambda: spend("a", names), lambda: spend("b", names[::-1]), lambda: spend("c", names[6:] + names[:6])
    )
    assert Member.objects.filter(points_balance__lt=0).count() == 0
    assert PointsEntry.objects.filter(kind="redeem").exists()
    assert prove(tenant).holds


@pytest.mark.django_db(transaction=True)
def test_one_key_at_once_counts_once():
    tenant = make_tenant()
    name = make_member(tenant).external_id
    results = []
    work = lambda: results.extend(ledger.post(tenant, [EntryInput(name, 10, "x", "same")]))  # noqa: E731
    together(work, work, work)
    assert sorted(result.status for result in results) == ["created", "repeated", "repeated"]
    assert Member.objects.get().points_balance == 10


@pytest.mark.django_db(transaction=True)
def test_one_key_at_once_for_two_members_is_refused_for_one():
    tenant = make_tenant()
    first, second = make_member(tenant).external_id, make_member(tenant).external_id
    results = []

    def work(name):
        batch = [EntryInput(name, 1, "x", f"{name}-{n}") for n in range(200)]
        results.append(ledger.post(tenant, [EntryInput(name, 10, "x", "same"), *batch])[0].status)

    together(lambda: work(first), lambda: work(second))
    assert sorted(results) == ["created", "refused"]
    assert prove(tenant).holds
