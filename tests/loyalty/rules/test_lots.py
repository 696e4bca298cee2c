from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules.lots import Lot, NotEnough, Purse, Use

DAY = datetime(2026, 3, 1, tzinfo=UTC)
LOTS = st.lists(
    st.builds(
        lambda points, days: (points, None if days is None else DAY + timedelta(days=days)),
        st.integers(0, 50),
        st.one_of(st.none(), st.integers(0, 5)),
    ),
    max_size=8,
).map(lambda pairs: [Lot(place + 1, points, at) for place, (points, at) in enumerate(pairs)])


@given(LOTS, st.integers(0, 120))
def test_taking_uses_exactly_the_points_in_order(lots, points):
    purse = Purse(lots)
    before, order = purse.total, [lot.id for lot in purse.lots]
    if points > before:
        with pytest.raises(NotEnough):
            purse.take(points)
        assert purse.total == before
        return
    uses = purse.take(points)
    assert sum(use.points for use in uses) == points
    assert purse.total == before - points
    assert [use.lot_id for use in uses] == order[: len(uses)]
    assert all(0 < use.points <= lots[use.lot_id - 1].remaining for use in uses)
    # Only the last lot may be left with something.
    assert all(use.points == lots[use.lot_id - 1].remaining for use in uses[:-1])


@given(LOTS, st.lists(st.integers(1, 30), max_size=5))
def test_taking_in_parts_is_taking_at_once(lots, parts):
    in_parts, at_once = Purse(lots), Purse(lots)
    if sum(parts) > at_once.total:
        return
    for part in parts:
        in_parts.take(part)
    at_once.take(sum(parts))
    assert in_parts.lots == at_once.lots


@given(LOTS)
def test_order_does_not_depend_on_how_lots_came_in(lots):
    added = Purse()
    for lot in reversed(lots):
        if lot.remaining:
            added.add(lot)
    assert added.lots == Purse(lots).lots


def test_soonest_expiry_then_age_then_without_expiry():
    lots = [Lot(1, 5), Lot(2, 5, DAY), Lot(3, 5, DAY), Lot(4, 5, DAY - timedelta(1))]
    assert Purse(lots).take(16) == (Use(4, 5), Use(2, 5), Use(3, 5), Use(1, 1))


def test_what_has_expired_is_taken_out():
    purse = Purse([Lot(1, 5), Lot(2, 5, DAY), Lot(3, 5, DAY + timedelta(1))])
    assert [lot.id for lot in purse.take_expired(DAY)] == [2]
    assert [lot.id for lot in purse.lots] == [3, 1]
