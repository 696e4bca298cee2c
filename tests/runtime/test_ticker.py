import time

import pytest
from django.db import connection, connections

from portal.runtime.ticker import Ticker

pytestmark = pytest.mark.django_db(transaction=True)
ticks: list[int] = []


def tick() -> None:
    ticks.append(1)


def broken() -> None:
    raise RuntimeError("on purpose")


@pytest.fixture(autouse=True)
def target(settings):
    settings.TICK_TARGET = f"{__name__}.tick"
    ticks.clear()
    yield
    connection.close()


def end_our_connection() -> None:
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    other.close()


def test_only_the_holder_of_the_lock_ticks() -> None:
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7201480001)")
    assert Ticker().once() is False
    other.close()
    heir, deadline = Ticker(), time.monotonic() + 5
    while not heir.once():  # a server ends a session in its own time
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert ticks == [1]


def test_a_lost_connection_is_made_again_and_the_lock_with_it() -> None:
    ticker = Ticker()
    assert ticker.once()
    end_our_connection()
    settled = [ticker.once() for _ in range(3)]
    assert settled[-1] is True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone()[0] == 1


def test_an_error_is_logged_and_the_next_tick_comes(settings, caplog: pytest.LogCaptureFixture) -> None:
    ticker = Ticker()
    settings.TICK_TARGET = f"{__name__}.broken"
    assert ticker.once() is False
    assert "on purpose" in caplog.text
    settings.TICK_TARGET = f"{__name__}.tick"
    assert ticker.once() is True
