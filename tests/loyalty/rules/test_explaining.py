from datetime import date
from zoneinfo import ZoneInfo

import pytest

from loyalty.rules.audience_rules import Condition, Group
from loyalty.rules.explaining import explain
from loyalty.rules.windows import Calendar, yearly

CALENDAR = Calendar(date(2026, 3, 1), ZoneInfo("Europe/London"))


@pytest.mark.parametrize(
    ("kind", "op", "told", "value", "holds"),
    [
        ("text", "equals", "a", "a", True),
        ("text", "equals", "a", "A", False),
        ("text", "equals", "a", None, False),
        ("text", "not_equals", "a", None, True),
        ("text", "not_in", ("a", "b"), "c", True),
        ("text", "is_not_set", None, "", True),
        ("text", "is_set", None, "x", True),
        ("text", "contains", "b", "abc", True),
        ("number", "at_least", 5, 5, True),
        ("number", "at_most", 5, 6, False),
        ("number", "more_than", 0.1, 0.2, True),
        ("number", "less_than", 0, 0, False),
        ("number", "less_than", 1, 0, True),
        ("any", "equals", 1, True, False),
        ("any", "equals", True, True, True),
        ("any", "equals", 1, 1.0, True),
        ("any", "equals", 1, "1", False),
        ("any", "at_least", 1, "5", False),
        ("any", "contains", 1, "1", False),
        ("any", "contains", 1, [1, 2], True),
        ("any", "in", ("a", 2), [2], True),
        ("any", "is_set", None, [], False),
        ("any", "is_set", None, False, True),
        ("any", "before", "2026-03-01", 5, False),
        ("any", "before", "2026-03-01", "soon, soon", False),
        ("any", "before", "2026-03-01", "2026-02-28T23:00:00Z", True),
        ("any", "within_next_days", 1, "2026-03-02", True),
        ("list", "contains", "a", ["a"], True),
        ("date", "within_next_days", 1, "--03-02", True),
        ("date", "within_next_days", 1, "1990-03-03", False),
        ("date", "after", "1990-01-01", "1990-05-17", True),
        ("date", "after", "1990-01-01", "--05-17", False),
        ("datetime", "within_last_days", 0, "2026-03-01T23:59:59Z", True),
        ("datetime", "within_last_days", 0, "2026-02-28T23:59:59Z", False),
        ("datetime", "before", "2026-03-01", "2026-02-28T23:59:59Z", True),
        ("datetime", "after", "2026-03-01", "2026-03-02T00:00:00Z", True),
        ("datetime", "after", "2026-03-01", "2026-03-01T23:59:59Z", False),
        ("datetime", "after", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", False),
        ("datetime", "before", "2026-03-01T10:00:00Z", "2026-03-01T09:59:59Z", True),
    ],
)  # fmt: skip
def test_a_condition_for_one_member(kind, op, told, value, holds):
    assert explain(Condition("x", op, kind, told), {"x": value}, CALENDAR).holds is holds


def test_an_explanation_shows_each_part_with_the_members_value():
    rule = Group(
        "all", (Condition("a", "is_set", "text"), Group("none", (Condition("b", "is_set", "text"),)))
    )
    told = explain(rule, {"a": "x", "b": "y"}, CALENDAR)
    assert [told.holds, *(part.holds for part in told.parts)] == [False, True, False]
    assert told.parts[1].parts[0].value == "y"
    assert explain(Group("any", rule.parts), {"a": "x", "b": "y"}, CALENDAR).holds


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (date(2026, 2, 27), date(2026, 3, 1), ("02-27", "02-28", "02-29", "03-01")),
        (date(2028, 2, 28), date(2028, 2, 28), ("02-28",)),
        (date(2028, 2, 28), date(2028, 2, 29), ("02-28", "02-29")),
        (date(2026, 12, 31), date(2027, 1, 1), ("12-31", "01-01")),
    ],
)
def test_birthdays_come_round_every_year(first, last, days):
    assert yearly(first, last) == days


def test_a_year_of_days_is_every_day_once():
    assert len(yearly(date(2026, 1, 1), date(2035, 1, 1))) == 366
