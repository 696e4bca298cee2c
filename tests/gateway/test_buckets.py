"""The arithmetic of a rate limit, whatever the times of the calls."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.gateway.buckets import WINDOW, Rate, take

RATES = st.builds(Rate, burst=st.integers(1, 20), steady=st.integers(1, 60))
# Pauses between questions: from a burst to more than a window.
PAUSES = st.lists(st.floats(0, 75, allow_nan=False) | st.floats(0, 0.2), max_size=120)


@given(rate=RATES, pauses=PAUSES, wanted=st.lists(st.integers(1, 10), min_size=121, max_size=121))
def test_no_second_holds_more_than_the_burst_and_no_minute_more_than_the_limit(
    rate: Rate, pauses: list[float], wanted: list[int]
) -> None:
    slots: dict[int, int] = {}
    granted: list[float] = []
    for moment, count in zip(accumulate(pauses, initial=1000.0), wanted, strict=False):
        grant = take(slots, rate, count, moment)
        slots = grant.slots
        granted += [moment] * grant.count
    assert max(map(len, _windows(granted, WINDOW)), default=0) <= rate.steady
    assert max(map(len, _windows(granted, 1)), default=0) <= rate.burst


@given(rate=RATES, pauses=PAUSES)
def test_waiting_as_long_as_told_leads_to_a_call_in_the_end(rate: Rate, pauses: list[float]) -> None:
    slots: dict[int, int] = {}
    now = 1000.0
    for pause in pauses:
        now += pause
        slots = take(slots, rate, 5, now).slots
    for _ in range(3):
        grant = take(slots, rate, 1, now)
        if grant.count:
            return
        assert 0 < grant.wait <= WINDOW + 1
        now += grant.wait
    raise AssertionError("no call was granted")


@given(rate=RATES, pauses=PAUSES)
def test_what_is_stored_stays_small(rate: Rate, pauses: list[float]) -> None:
    slots: dict[int, int] = {}
    for moment in accumulate(pauses, initial=1000.0):
        slots = take(slots, rate, 3, moment).slots
    assert len(slots) <= WINDOW + 2 and all(count > 0 for count in slots.values())


def test_a_block_grants_nothing_before_its_end() -> None:
    grant = take({}, Rate(10, 100), 5, now=1000.0, blocked_until=1007.5)
    assert (grant.count, grant.wait) == (0, 7.5)
    assert take({}, Rate(10, 100), 5, now=1007.5, blocked_until=1007.5).count == 5


def test_a_pause_saves_nothing_up() -> None:
    """A bucket that refills would grant two minutes' worth here."""
    first = take({}, Rate(100, 100), 100, now=1000.0)
    later = take(first.slots, Rate(100, 100), 100, now=1061.0)
    assert (first.count, later.count) == (100, 100)
    assert take(later.slots, Rate(100, 100), 1, now=1063.0).count == 0


@pytest.mark.parametrize(
    ("slots", "now", "wait"),
    [({1000: 10}, 1000.25, 1.75), ({1000: 10}, 1001.25, 0.75), ({1000: 9, 1001: 1}, 1001.25, 0.75)],
)
def test_a_full_second_is_waited_out(slots: dict[int, int], now: float, wait: float) -> None:
    grant = take(slots, Rate(10, 100), 1, now)
    assert (grant.count, grant.wait) == (0, wait)


@pytest.mark.parametrize(
    ("share", "expected"), [(100, Rate(10, 150)), (80, Rate(8, 120)), (1, Rate(1, 1)), (50, Rate(5, 75))]
)
def test_a_share_is_a_part_and_never_nothing(share: int, expected: Rate) -> None:
    assert Rate(10, 150).share(share) == expected


def _windows(moments: list[float], length: float) -> list[list[float]]:
    """For each call, the calls of the `length` seconds that begin with it."""
    return [[one for one in moments if start <= one < start + length] for start in moments]
