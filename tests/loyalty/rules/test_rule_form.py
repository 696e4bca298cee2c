import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules import rule_form, value_text
from loyalty.rules.audience_rules import MAX_CONDITIONS, MAX_DEPTH, RuleError, parse
from loyalty.rules.condition_values import OPERATORS
from loyalty.rules.rule_form import DraftCondition, DraftGroup

KINDS = {
    "first_name": "text",
    "points_balance": "number",
    "birthday": "date",
    "enrolled_at": "datetime",
    "tags": "list",
    "attributes.x": "any",
}
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
CLEAN = TEXTS.filter(lambda text: text.strip()).map(str.strip)
NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9, allow_nan=False), st.sampled_from([0.5, 1e20, -0.0])
)
SCALARS = st.one_of(
    CLEAN, NUMBERS, st.booleans(), st.sampled_from(["5", "true", '"', '"5"', "a,b", "1e3", "false", "+4"])
)
DAYS = st.sampled_from(["2026-03-01", "1999-12-31"])


def same(one: object, other: object) -> bool:
    """As JSON tells values apart: true is not 1."""
    return repr(one) == repr(other)


@st.composite
def conditions(draw):
    key = draw(st.sampled_from(sorted(KINDS)))
    kind = KINDS[key]
    op = draw(st.sampled_from([op for op, kinds in OPERATORS.items() if kind in kinds]))
    if op in value_text.NONE:
        return {"field": key, "op": op}
    one = {"number": NUMBERS, "any": SCALARS}.get(kind, CLEAN)
    value = (
        st.integers(0, 3650) if op in value_text.DAYS
        else DAYS if op in ("before", "after")
        else NUMBERS if op in value_text.NUMERIC
        else st.lists(one, min_size=1, max_size=4) if op in value_text.MANY
        else one
    )  # fmt: skip
    return {"field": key, "op": op, "value": draw(value)}


GROUPS = st.recursive(
    st.builds(
        lambda kind, parts: {kind: parts},
        st.sampled_from(["all", "any", "none"]),
        st.lists(conditions(), min_size=1, max_size=3),
    ),
    lambda inner: st.builds(
        lambda kind, parts: {kind: parts},
        st.sampled_from(["all", "any", "none"]),
        st.lists(st.one_of(inner, conditions()), min_size=1, max_size=3),
    ),
    max_leaves=6,
)


def posted(draft, path=rule_form.ROOT) -> dict[str, list[str]]:
    """What a browser sends of the form that shows this draft."""
    if isinstance(draft, DraftGroup):
        names = {f"{path}-kind": [draft.kind]}
        for place, part in enumerate(draft.parts):
            names |= posted(part, f"{path}-{place}")
        return names
    told = {"field": draft.field, "op": draft.op, "value": draft.value, "was": draft.was}
    return {f"{path}-{name}": [value] for name, value in told.items()}


@given(raw=GROUPS)
def test_a_rule_comes_back_from_its_form_as_it_was(raw):
    draft = rule_form.draft_of(raw, KINDS.__getitem__)
    sent = rule_form.read(posted(draft))
    assert sent == draft
    assert same(rule_form.raw_of(sent, KINDS.__getitem__), raw)


@given(st.dictionaries(st.from_regex(r"node(-\d)*-(kind|field|op|value)", fullmatch=True),
                       st.lists(st.text(max_size=5), max_size=2), max_size=12))  # fmt: skip
def test_whatever_is_posted_is_a_draft_and_at_worst_a_refused_rule(names):
    draft = rule_form.read(names)
    try:
        parse(rule_form.raw_of(draft, lambda key: "any"), lambda key: "any")
    except RuleError as error:
        assert set(rule_form.problems_of(draft, error.problems)) != set()


def test_one_condition_alone_stands_in_a_group():
    raw = {"field": "first_name", "op": "equals", "value": "Ada"}
    draft = rule_form.draft_of(raw, KINDS.__getitem__)
    assert rule_form.raw_of(draft, KINDS.__getitem__) == {"all": [raw]}


@pytest.mark.parametrize(
    ("op", "kind", "text", "value"),
    [
        ("equals", "number", " 1,000 ", 1000),
        ("equals", "number", "1,5", "1,5"),
        ("at_least", "any", "7", 7),
        ("equals", "text", "0123", "0123"),
        ("equals", "any", "0123", 123),
        ("equals", "any", '"0123"', "0123"),
        ("equals", "boolean", "true", True),
        ("equals", "any", '"open', '"open'),
        ("in", "text", 'Gold, "Old, but gold"\nSilver', ["Gold", "Old, but gold", "Silver"]),
        ("within_last_days", "datetime", "30", 30),
        ("within_last_days", "datetime", "soon", "soon"),
        ("is_set", "text", "x", None),
        ("equals", "text", "  ", None),
    ],
)
def test_what_is_typed_is_read(op, kind, text, value):
    assert same(value_text.read(op, kind, text), value)


def test_checked_boxes_are_a_list_though_one_holds_a_comma():
    names = {
        "node-kind": ["all"],
        "node-0-field": ["tier"],
        "node-0-op": ["in"],
        "node-0-pick": ["a, b", "c"],
    }
    raw = rule_form.raw_of(rule_form.read(names), lambda key: "text")
    assert raw == {"all": [{"field": "tier", "op": "in", "value": ["a, b", "c"]}]}


def test_parts_keep_their_order_though_numbers_are_missing():
    names = {f"node-{place}-field": [f"f{place}"] for place in (10, 2, 0)}
    assert [part.field for part in rule_form.read(names).parts] == ["f0", "f2", "f10"]


A, B = DraftCondition("a", "is_set", "", "a"), DraftCondition("b", "is_set", "", "b")
NESTED = DraftGroup("all", (A, DraftGroup("any", (B,))))
BLANK = DraftCondition()


@pytest.mark.parametrize(
    ("verb", "path", "expected"),
    [
        ("condition", "node", DraftGroup("all", (*NESTED.parts, BLANK))),
        ("condition", "node-1", DraftGroup("all", (A, DraftGroup("any", (B, BLANK))))),
        ("group", "node", DraftGroup("all", (*NESTED.parts, DraftGroup("any", (BLANK,))))),
        ("remove", "node-0", DraftGroup("all", (DraftGroup("any", (B,)),))),
        ("remove", "node-1-0", DraftGroup("all", (A, DraftGroup("any")))),
        ("remove", "node-9", NESTED),
        ("remove", "node", NESTED),
        ("condition", "node-0", NESTED),
        ("condition", "elsewhere", NESTED),
        ("dance", "node", NESTED),
    ],
)
def test_a_button_changes_one_place(verb, path, expected):
    assert rule_form.change(NESTED, verb, path) == expected


def test_no_more_is_added_than_the_parser_takes():
    full = DraftGroup("all", (A,) * MAX_CONDITIONS)
    assert rule_form.change(full, "condition", "node") == full
    deep, path = DraftGroup("all", (A,)), "node"
    for _ in range(MAX_DEPTH + 3):
        grown = rule_form.change(deep, "group", path)
        deep, path = grown, f"{path}-1"
    raw = rule_form.raw_of(deep, lambda key: "text")
    problems = []
    try:
        parse(raw, lambda key: "text")
    except RuleError as error:
        problems = [problem for problem in error.problems if "nested" in problem]
    assert problems == []
    assert str(raw).count("'any'") == MAX_DEPTH - 1


def test_each_problem_finds_its_node():
    draft = DraftGroup(
        "all", (BLANK, DraftGroup("any"), DraftGroup("none", (DraftCondition("n", "at_least", "x"),)))
    )
    with pytest.raises(RuleError) as error:
        parse(rule_form.raw_of(draft, lambda key: "number"), lambda key: "number")
    assert rule_form.problems_of(draft, error.value.problems) == {
        "node-0": "Choose a field.",
        "node-1": "This group is empty. Add a condition, or remove the group.",
        "node-2-0": "Value must be a number.",
    }


def test_another_field_is_asked_anew_and_gets_an_operator_that_fits():
    draft = DraftGroup(
        "all", (DraftCondition("tags", "at_least", "5", "points_balance"), A, DraftGroup("any", (BLANK,)))
    )
    settled = rule_form.settled(draft, lambda key: ("is_set", "in"))
    assert settled.parts == (DraftCondition("tags", "is_set", "", "tags"), A, DraftGroup("any", (BLANK,)))


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (DraftGroup("all", (A,)), []),
        (DraftGroup("all", (A, BLANK)), ["node-1"]),
        (DraftGroup("all", (DraftCondition("a", "equals", " "),)), ["node-0"]),
        (DraftGroup("all", (DraftCondition("a", "at_least", "wrong"),)), []),
        (DraftGroup("all"), ["node"]),
        (DraftGroup("all", (A, DraftGroup("none"))), ["node-1"]),
    ],
)
def test_unfinished_is_what_lacks_something_not_what_is_wrong(draft, expected):
    assert rule_form.unfinished(draft) == expected
