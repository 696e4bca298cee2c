from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules import rule_words
from loyalty.rules.audience_rules import parse
from loyalty.rules.condition_values import OPERATORS, TYPE_WORDS

TYPES = {
    "tier_slug": "text",
    "points_balance": "number",
    "sms_consent": "text",
    "email": "text",
    "enrolled_at": "datetime",
    "birthday": "date",
    "tags": "list",
    "attributes.store": "any",
}
LABELS = {
    "tier_slug": "Tier",
    "points_balance": "Points balance",
    "sms_consent": "SMS consent",
    "email": "E-mail",
    "enrolled_at": "Member since",
    "birthday": "Birthday",
    "tags": "Tags",
}
NAMES = {"tier_slug": {"gold": "Gold", "silver": "Silver"}}
GOLD = {"field": "tier_slug", "op": "equals", "value": "gold"}
RICH = {"field": "points_balance", "op": "at_least", "value": 1000}
LOCAL = {"field": "attributes.store", "op": "equals", "value": "Soho"}


def said(raw) -> str:
    return rule_words.sentence(parse(raw, TYPES.__getitem__), LABELS, NAMES)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (GOLD, "Members whose tier is Gold."),
        ({"all": [GOLD, RICH]}, "Members whose tier is Gold and whose points balance is at least 1,000."),
        ({"any": [GOLD, RICH]}, "Members whose tier is Gold or whose points balance is at least 1,000."),
        ({"none": [GOLD]}, "All members but those whose tier is Gold."),
        (
            {"all": [GOLD, {"any": [RICH, LOCAL]}]},
            "Members whose tier is Gold and (whose points balance is at least 1,000 or whose “store” is Soho).",
        ),
        ({"all": [GOLD, {"none": [RICH]}]},
         "Members whose tier is Gold and who are not among those whose points balance is at least 1,000."),
        ({"all": [GOLD, {"none": [RICH, LOCAL]}]},
         "Members whose tier is Gold and who are not among those"
         " (whose points balance is at least 1,000 or whose “store” is Soho)."),
        ({"any": [{"all": [GOLD]}]}, "Members whose tier is Gold."),
    ],
)  # fmt: skip
def test_a_rule_is_a_sentence(raw, expected):
    assert said(raw) == expected


@pytest.mark.parametrize(
    ("key", "op", "value", "expected"),
    [
        ("tier_slug", "in", ["gold", "silver"], "tier is Gold or Silver"),
        ("tier_slug", "not_in", ["gold"], "tier is not Gold"),
        ("tier_slug", "not_equals", "old", "tier is not old"),
        ("email", "is_set", None, "e-mail is known"),
        ("sms_consent", "is_not_set", None, "SMS consent is not known"),
        ("enrolled_at", "within_last_days", 30, "joining date is within the last 30 days"),
        ("enrolled_at", "within_last_days", 1, "joining date is within the last day"),
        ("birthday", "within_next_days", 0, "birthday is today"),
        ("enrolled_at", "before", "2026-03-01", "joining date is before 1 March 2026"),
        (
            "enrolled_at",
            "after",
            "2026-03-01T10:00:00+01:00",
            "joining date is after 1 March 2026, 09:00 UTC",
        ),
        ("birthday", "equals", "--05-17", "birthday is 17 May"),
        ("birthday", "equals", "sometime", "birthday is sometime"),
        ("tags", "contains", "vip", "tags include vip"),
        ("tags", "in", ["a", "b", "c", "d", "e", "f", "g"], "tags include one of a, b, c, d, e or 2 more"),
        ("attributes.store", "equals", True, "“store” is yes"),
        ("points_balance", "less_than", 0.5, "points balance is less than 0.5"),
    ],
)
def test_a_condition_is_said_in_words(key, op, value, expected):
    raw = {"field": key, "op": op} | ({} if value is None else {"value": value})
    rule = parse(raw, TYPES.__getitem__)
    assert rule_words.condition_words(rule, LABELS, NAMES) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "not known"), ("", "not known"), ([], "not known"), (False, "no"), (0, "0"), (["a", "b"], "a and b")],
)  # fmt: skip
def test_a_value_is_said_in_words(value, expected):
    assert rule_words.value_words(value) == expected


def test_a_time_is_told_by_the_clocks_of_the_tenant():
    london = ZoneInfo("Europe/London")
    told = rule_words.value_words("2026-08-22T19:34:00Z", "datetime", zone=london)
    assert told == "22 August 2026, 20:34 BST"


@given(st.sampled_from(sorted(OPERATORS)), st.sampled_from(sorted(TYPE_WORDS)))
def test_every_operator_has_words(op, kind):
    words = rule_words.operator_words(op, kind)
    assert words and "_" not in words
