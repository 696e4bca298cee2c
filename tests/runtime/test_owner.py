import time
from collections.abc import Callable

import pytest
from django.db import connection

from portal.runtime import owner
from portal.runtime.models import Worker


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def beating(settings, transactional_db):
    settings.BEAT_SECONDS = 0.1
    found = owner.Owner("command")
    found.start()
    yield found
    found.stop()


def test_it_is_seen_at_once_renews_itself_and_leaves(beating: owner.Owner) -> None:
    first = Worker.objects.alive().get(pk=beating.id)
    assert first.role == "command"
    wait_for(lambda: Worker.objects.get(pk=beating.id).beat_at > first.beat_at)
    beating.stop()
    assert not Worker.objects.filter(pk=beating.id).exists()


def test_it_survives_a_lost_connection_and_a_removed_row(beating: owner.Owner) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL"
        )
    Worker.objects.all().delete()
    wait_for(lambda: Worker.objects.filter(pk=beating.id).exists())


@pytest.mark.django_db
def test_a_silent_process_is_not_alive(settings) -> None:
    found = owner.Owner("live")
    found.beat()
    assert Worker.objects.alive().filter(pk=found.id).exists()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE runtime_worker SET beat_at = now() - interval '16 seconds'")
    assert not Worker.objects.alive().filter(pk=found.id).exists()
    assert Worker.objects.silent().filter(pk=found.id).exists()


@pytest.mark.django_db
def test_a_forked_process_is_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    before = owner.current()
    assert owner.current() == before
    monkeypatch.setattr(owner.os, "getpid", lambda: 1)
    assert owner.current() != before
