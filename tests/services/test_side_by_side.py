"""What two processes do to each other, on connections of their own."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from integrations import tasks
from integrations.models import SentProfile, SyncBatch
from integrations.planning import batching
from integrations.services import routing, sync
from tests.factories import make_audience, make_tenant
from tests.services.builders import drain, people, put_in, run, sent, take_out, touch
from tests.services.conftest import Connect

pytestmark = pytest.mark.django_db(transaction=True)


def beside(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> list[threading.Thread]:
    """Do `work` in another connection while the planner is between its look and its clearing of marks."""
    begun: list[threading.Thread] = []
    real = batching._write_held

    def in_thread() -> None:
        try:
            work()
        finally:
            connection.close()

    def hooked(cursor, run):
        if not begun:
            begun.append(threading.Thread(target=in_thread))
            begun[0].start()
            begun[0].join(0.3)  # either it waits for us, or it is done
        return real(cursor, run)

    monkeypatch.setattr(batching, "_write_held", hooked)
    return begun


def test_a_change_that_comes_while_the_plan_is_made_is_not_lost(connect: Connect, remote, monkeypatch):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)

    def change():
        touch(member, points_balance=77)
        routing.route(extension)

    begun = beside(monkeypatch, change)
    sync.start(extension, kind="full")
    tasks.work_bulk(extension.pk)
    begun[0].join(5)
    drain(extension)
    assert remote.document("M-0")["Points"] == 77


def test_who_leaves_while_the_plan_is_made_is_not_on_the_list(connect: Connect, remote, monkeypatch):
    tenant = make_tenant()
    audience = make_audience(tenant)
    extension = connect(tenant, lists={audience: "Gold"})
    members = people(tenant, 130)
    put_in(audience, *members)

    def leave():
        take_out(audience, members[0])
        routing.route(extension)

    begun = beside(monkeypatch, leave)
    sync.start(extension, kind="full")
    tasks.work_bulk(extension.pk)
    begun[0].join(5)
    drain(extension)
    assert "M-0" not in remote.members("Gold")
    assert len(remote.members("Gold")) == 129


def test_a_run_of_lists_leaves_the_mark_of_a_changed_profile(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    touch(member, points_balance=77)
    sync.start(extension, kind="audiences")
    tasks.work_bulk(extension.pk)
    assert sent(extension, member).due_at is not None
    drain(extension)
    assert remote.document("M-0")["Points"] == 77


def test_batches_are_filled_up_over_the_chunks(connect: Connect, remote, monkeypatch):
    monkeypatch.setattr(batching, "CHUNK", 30)
    tenant = make_tenant()
    audience = make_audience(tenant)
    extension = connect(tenant, lists={audience: "Gold"})
    members = people(tenant, 200)
    put_in(audience, *members[::2])
    run(extension)
    sizes = SyncBatch.objects.filter(kind="profiles").values_list("rows", flat=True)
    assert sorted(sizes) == [100, 100]  # one for each set of lists, not two for each chunk
    assert len(remote.members("Gold")) == 100
    assert not SentProfile.objects.exclude(in_flight=None).exists()
