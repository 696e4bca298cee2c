"""The throttle is one for all: threads with connections of their own share one row."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from integrations.errors import RateLimited
from integrations.gateway import throttle
from integrations.gateway.buckets import Rate
from integrations.models.rates import RateWindow

KEY = "practice:AbC123:private_key:POST /api/events"


def in_threads(count: int, work: Callable[[], object]) -> None:
    barrier = Barrier(count)

    def run() -> None:
        try:
            barrier.wait(5)
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(run) for _ in range(count)]:
            future.result()


@pytest.mark.django_db(transaction=True)
def test_two_threads_together_stay_within_the_burst() -> None:
    granted: list[int] = []

    def take_some() -> None:
        for _ in range(8):
            throttle.acquire(KEY, Rate(6, 100))
            granted.append(int(time.time()))

    in_threads(2, take_some)
    window = RateWindow.objects.get(key=KEY)
    assert len(granted) == window.granted == sum(window.slots.values()) == 16
    assert max(window.slots.values()) <= 6
    assert len(Counter(granted)) >= 3


@pytest.mark.django_db(transaction=True)
def test_the_first_call_of_a_bucket_may_come_from_two_at_once() -> None:
    in_threads(2, lambda: throttle.acquire(KEY, Rate(10, 100)))
    assert RateWindow.objects.get(key=KEY).granted == 2


@pytest.mark.django_db(transaction=True)
def test_a_used_up_minute_is_told_and_not_slept_through() -> None:
    rate = Rate(3, 3)
    for _ in range(3):
        throttle.acquire(KEY, rate)
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        throttle.acquire(KEY, rate)
    assert time.monotonic() - started < 1
    assert throttle.LONGEST_SLEEP < caught.value.seconds <= 61


@pytest.mark.django_db(transaction=True)
def test_a_block_holds_for_everybody_and_only_for_its_bucket() -> None:
    throttle.block(KEY, 30)
    throttle.block(KEY, 5)
    with pytest.raises(RateLimited) as caught:
        throttle.acquire(KEY, Rate(10, 100))
    assert 28 < caught.value.seconds <= 30
    assert throttle.acquire(KEY + " other", Rate(10, 100)) == 0
    assert RateWindow.objects.get(key=KEY).refused == 2
    assert 28 < throttle.waiting_seconds("practice:AbC123:") <= 30
    assert throttle.waiting_seconds("practice:other:") == 0


@pytest.mark.django_db(transaction=True)
def test_a_short_wait_is_slept_and_told() -> None:
    rate = Rate(1, 100)
    assert throttle.acquire(KEY, rate) + throttle.acquire(KEY, rate) > 0
