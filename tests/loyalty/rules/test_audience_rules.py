import pytest

from loyalty.rules.audience_rules import Condition, Group, RuleError, fields_of, parse

TYPES = {
    "city": "text", "points": "number", "vip": "boolean", "birthday": "date", "since": "datetime", "tags": "list",
    "attributes.x": "any",
}  # fmt: skip


def type_of(key):
    if key not in TYPES:
        raise LookupError(f"“{key}” is not a field of a member.")
    return TYPES[key]


def condition(field, op, *value):
    return {"field": field, "op": op} | ({"value": value[0]} if value else {})


GOOD = [
    condition("city", "equals", "Rome"), condition("city", "in", ["Rome", "Bern"]), condition("city", "is_set"),
    condition("points", "at_least", 1.5), condition("points", "in", [1, 2]), condition("vip", "equals", False),
    condition("birthday", "within_next_days", 7), condition("birthday", "before", "2000-01-01"),
    condition("since", "after", "2026-03-01"), condition("since", "before", "2026-03-01T00:00:00Z"),
    condition("tags", "contains", "a"), condition("tags", "not_in", ["a"]), condition("attributes.x", "equals", True),
    condition("attributes.x", "less_than", 3), condition("attributes.x", "within_last_days", 0),
]  # fmt: skip
BAD = [
    (None, "rule: must be an object"),
    ({}, "rule: must have exactly one"),
    ({"all": [], "any": []}, "rule: must have exactly one"),
    ({"some": []}, "rule: must have exactly one"),
    ({"all": []}, "rule.all: must be a list with at least one"),
    ({"all": "x"}, "rule.all: must be a list"),
    ({"any": [condition("city", "is_set"), 5]}, "rule.any[1]: must be an object"),
    ({"all": [{"none": [condition("city", "is_set", 1)]}]}, "rule.all[0].none[0]: value must be left out"),
    ({"field": "city"}, "rule: op must be one of"),
    ({"op": "equals"}, "rule: field is missing"),
    ({"field": 5, "op": "equals"}, "rule: field is missing"),
    (condition("town", "is_set"), "rule: “town” is not a field"),
    (condition("audiences", "contains", "x"), "rule: an audience cannot depend"),
    ({**condition("city", "is_set"), "val": 1}, "rule: “val” means nothing"),
    (condition("city", "like", "x"), "rule: op must be one of"),
    (condition("city", "at_least", 5), "rule: at_least does not fit city, which is text"),
    (condition("points", "contains", 5), "rule: contains does not fit"),
    (condition("city", "equals"), "rule: value is missing"),
    (condition("city", "equals", 5), "rule: value must be text"),
    (condition("city", "equals", " "), "rule: value must not be empty"),
    (condition("city", "in", []), "rule: value must be a list"),
    (condition("city", "in", "Rome"), "rule: value must be a list"),
    (condition("city", "in", ["x"] * 1001), "rule: value has more than"),
    (condition("points", "equals", "5"), "rule: value must be a number"),
    (condition("points", "equals", True), "rule: value must be a number"),
    (condition("points", "at_least", float("inf")), "rule: value must be a number"),
    (condition("points", "at_least", 10**31), "rule: value is too large"),
    (condition("vip", "equals", 1), "rule: value must be true or false"),
    (condition("attributes.x", "equals", []), "rule: value must be text, a number"),
    (condition("attributes.x", "equals", "\x00"), "rule: value must be text, a number"),
    (condition("since", "within_last_days", -1), "rule: value must be a whole number of days"),
    (condition("since", "within_last_days", True), "rule: value must be a whole number of days"),
    (condition("since", "after", "yesterday"), "rule: value must be a day"),
    (condition("since", "after", "2026-03-01T09:00:00"), "rule: value must be a time"),
    (condition("since", "after", "2026-02-30"), "rule: value is a day that does not exist"),
    (condition("since", "after", "1066-01-01"), "rule: value must be a day"),
    (condition("since", "after", 5), "rule: value must be a day"),
    (condition("birthday", "after", "2026-03-01T09:00:00Z"), "rule: value must be a day such as 2026-03-01."),
]


@pytest.mark.parametrize("raw", GOOD, ids=str)
def test_a_condition_is_read(raw):
    rule = parse(raw, type_of)
    assert isinstance(rule, Condition)
    assert (rule.field, rule.op, rule.type) == (raw["field"], raw["op"], TYPES[raw["field"]])


@pytest.mark.parametrize(("raw", "sentence"), BAD, ids=str)
def test_a_bad_node_is_named_by_its_path(raw, sentence):
    with pytest.raises(RuleError) as caught:
        parse(raw, type_of)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(sentence)


def test_groups_nest():
    rule = parse({"all": [GOOD[0], {"none": [GOOD[3], {"any": [GOOD[4]]}]}]}, type_of)
    assert isinstance(rule, Group)
    assert fields_of(rule) == {"city", "points"}


@pytest.mark.parametrize(("depth", "is_good"), [(8, True), (9, False)])
def test_eight_groups_deep_and_no_deeper(depth, is_good):
    raw = GOOD[0]
    for _ in range(depth):
        raw = {"all": [raw]}
    if is_good:
        assert parse(raw, type_of)
        return
    with pytest.raises(RuleError, match="deeper than 8"):
        parse(raw, type_of)


def test_a_hundred_conditions_and_no_more():
    assert parse({"any": [GOOD[0]] * 100}, type_of)
    with pytest.raises(RuleError, match="101 conditions"):
        parse({"any": [GOOD[0]] * 101}, type_of)


def test_all_problems_are_told_at_once():
    with pytest.raises(RuleError) as caught:
        parse({"all": [5, {"any": []}, condition("town", "is_set")]}, type_of)
    paths = [problem.partition(": ")[0] for problem in caught.value.problems]
    assert paths == ["rule.all[0]", "rule.all[1].any", "rule.all[2]"]
