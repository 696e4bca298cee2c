"""Whose value wins: every policy against every state of the profile there."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.gateway.values import STANDARD_KEYS
from integrations.planning import merge
from integrations.planning.merge import Known, Policies, decide, flatten, needs_reading

WHO = {"external_id": "M-1", "email": "m1@acme.test"}
KEY = ".Points"
SET, CLEAR, KEEP, LEAVE = "set", "clear", "keep", "leave"
POLICIES = ("overwrite", "fill_empty", "keep_theirs", "max", "skip_existing", "")


def what(policy, new, old, theirs, kept=None, *, force=False, key=KEY):
    """What becomes of one value, in a word."""
    desired = WHO | ({key: new} if new is not None else {})
    payload = WHO | ({key: old} if old is not None else {})
    there = WHO | ({key: theirs} if theirs is not None else {})
    known = Known(payload=payload, kept=kept or {}, theirs=there, exists=True, created_by_us=True)
    decision = decide(desired, known, Policies(policy), force=force)
    write = decision.write
    flat = dict(write.values) | {f".{name}": value for name, value in write.properties.items()}
    if key in flat:
        assert flat[key] == new and type(flat[key]) is type(new)
        return SET
    if key in write.clear or key.removeprefix(".") in write.unset:
        return CLEAR
    return KEEP if key in decision.kept else LEAVE


# policy, ours now, sent last, theirs → what
@pytest.mark.parametrize("new", [0, False, "", "text", 7, ["a"]], ids=repr)
@pytest.mark.parametrize(
    ("policy", "old", "theirs", "expected"),
    [
        ("overwrite", None, None, SET),
        ("overwrite", "was", "was", SET),
        ("overwrite", "was", "other", SET),
        ("skip_existing", "was", "other", SET),
        ("", "was", "other", SET),
        ("fill_empty", None, None, SET),
        ("fill_empty", None, "", SET),
        ("fill_empty", None, [], SET),
        ("fill_empty", None, "other", KEEP),
        ("fill_empty", "was", "was", SET),
        ("fill_empty", "was", "other", KEEP),
        ("fill_empty", "was", 0.5, KEEP),
        ("keep_theirs", None, None, SET),
        ("keep_theirs", None, "", SET),
        ("keep_theirs", None, "other", KEEP),
        ("keep_theirs", "was", "was", KEEP),
        ("max", None, None, SET),
        ("max", None, "", SET),
    ],
)
def test_a_value_that_we_have(policy, new, old, theirs, expected):
    assert what(policy, new, old, theirs) == expected


@pytest.mark.parametrize("value", [0, False, "", "text", 7, ["a"]], ids=repr)
@pytest.mark.parametrize("policy", ["fill_empty", "keep_theirs", "max"])
def test_a_value_that_is_theirs_already_is_written_and_changes_nothing(policy, value):
    assert what(policy, value, None, value) == SET


@pytest.mark.parametrize("value", [0, False, "", "text", 7, ["a"]], ids=repr)
@pytest.mark.parametrize("policy", ["fill_empty", "keep_theirs", "max"])
@pytest.mark.parametrize("theirs", [None, "other"])
def test_a_value_that_was_sent_is_left_alone(policy, value, theirs):
    assert what(policy, value, value, theirs) == LEAVE
    assert what(policy, value, value, theirs, {KEY: theirs}) == KEEP


@pytest.mark.parametrize("policy", POLICIES)
def test_sent_again_by_force_the_policy_still_holds(policy):
    expected = KEEP if policy in merge.READING else SET
    assert what(policy, "a", "a", "other", force=True) == expected or policy == "max"
    assert what(policy, "a", "a", None, force=True) == SET


@pytest.mark.parametrize(
    ("new", "theirs", "expected"),
    [
        (5, 4, SET),
        (5, 5, SET),
        (5, 6, KEEP),
        (5, 6.5, KEEP),
        (0, -1, SET),
        (0, 1, KEEP),
        ("2026-02-01", "2026-01-31", SET),
        ("2026-01-01", "2026-01-31", KEEP),
        ("text", 5, SET),
        (5, "text", SET),
        (True, 5, SET),
        (["a"], ["b"], SET),
    ],
)
def test_the_larger_value_wins(new, theirs, expected):
    assert what("max", new, None, theirs) == expected
    assert what("max", new, 1, theirs) == expected


# What became empty on our side: policy, sent last, theirs, kept → what
@pytest.mark.parametrize(
    ("policy", "old", "theirs", "kept", "expected"),
    [
        ("overwrite", None, "other", None, LEAVE),
        ("overwrite", "was", "was", None, CLEAR),
        ("overwrite", "was", "other", None, CLEAR),
        ("overwrite", "was", None, None, CLEAR),
        ("", "was", "was", None, CLEAR),
        ("skip_existing", "was", "was", None, CLEAR),
        ("fill_empty", "was", "was", None, CLEAR),
        ("fill_empty", "was", "other", None, LEAVE),
        ("fill_empty", "was", None, None, LEAVE),
        ("fill_empty", "was", "was", {KEY: "was"}, LEAVE),
        ("max", 5, 5, None, CLEAR),
        ("max", 5, 6, None, LEAVE),
        ("keep_theirs", "was", "was", None, LEAVE),
        ("fill_empty", 0, 0, None, CLEAR),
        ("fill_empty", False, False, None, CLEAR),
        ("fill_empty", 0, False, None, LEAVE),
    ],
)
def test_a_value_that_became_empty(policy, old, theirs, kept, expected):
    assert what(policy, None, old, theirs, kept) == expected


@pytest.mark.parametrize("key", ["first_name", "city", "locale"])
def test_standard_attributes_are_cleared_and_properties_removed(key):
    assert what("overwrite", None, "was", "was", key=key) == CLEAR
    decision = decide(WHO, Known(payload=WHO | {key: "was", KEY: 1}), Policies("overwrite"))
    assert (decision.write.clear, decision.write.unset) == ((key,), ("Points",))
    assert decision.changes == {key: ["was", None], KEY: [1, None]}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("key", ["email", "phone", "external_id"])
def test_identifiers_are_never_cleared(policy, key):
    whole = {"external_id": "M-1", "email": "m1@acme.test", "phone": "+441632960001"}
    rest = {name: value for name, value in whole.items() if name != key}
    known = Known(payload=whole, theirs=whole, exists=True, created_by_us=True)
    decision = decide(rest, known, Policies(policy))
    assert decision.write.clear == () and decision.write.unset == ()
    assert key not in decision.write.values


def test_the_number_there_is_kept_and_the_e_mail_names_the_person():
    desired = WHO | {"phone": "+441632960001"}
    known = Known(theirs={"phone": "+441632960999"}, exists=True)
    decision = decide(desired, known, Policies())
    assert decision.write.values == WHO
    assert decision.kept == {"phone": "+441632960999"}


def test_a_kept_identifier_is_sent_where_nothing_else_names_the_person():
    desired = {"external_id": "M-1", "phone": "+441632960001"}
    known = Known(theirs={"phone": "+441632960999"}, exists=True)
    assert decide(desired, known, Policies()).write.values == desired


def test_standard_policy_fills_what_a_shop_knows_better():
    policies = Policies()
    filled = {key for key in STANDARD_KEYS if policies.of(key) == "fill_empty"}
    assert filled == set(STANDARD_KEYS) - {"external_id", "email"}
    assert policies.of(".Anything") == "overwrite"


def test_an_exception_holds_for_its_property_alone():
    policies = Policies("overwrite", {"Points": "max", "city": "max", "Empty": ""})
    assert [policies.of(key) for key in (".Points", "city", ".Other", ".Empty")] == [
        "max",
        "overwrite",
        "overwrite",
        "overwrite",
    ]


@pytest.mark.parametrize(
    ("created_by_us", "exists", "is_skipped"),
    [
        (None, None, True),
        (None, True, True),
        (None, False, False),
        (False, None, True),
        (False, True, True),
        (True, True, False),
        (True, None, False),
    ],
)
def test_profiles_that_we_did_not_create_are_left_alone(created_by_us, exists, is_skipped):
    known = Known(exists=exists, created_by_us=created_by_us)
    decision = decide(WHO | {KEY: 1}, known, Policies("skip_existing"), remote_id="P1")
    assert decision.is_skipped is is_skipped
    assert decision.write.values == WHO
    assert decision.write.properties == ({} if is_skipped else {"Points": 1})


def test_identifiers_only_writes_no_value_and_keeps_what_was_kept():
    known = Known(payload=WHO, kept={KEY: 5})
    decision = decide(WHO | {KEY: 1}, known, Policies("overwrite"), remote_id="P1", identifiers_only=True)
    assert (decision.write.values, decision.write.properties) == (WHO, {})
    assert (decision.write.remote_id, decision.kept, decision.changes) == ("P1", {KEY: 5}, {})


def test_a_first_write_names_no_changes_and_a_kept_value_is_none():
    assert decide(WHO | {KEY: 1}, Known(), Policies("overwrite")).changes == {}
    known = Known(payload=WHO | {KEY: 1, ".A": 1}, theirs={KEY: 9, ".A": 1}, exists=True)
    decision = decide(WHO | {KEY: 2, ".A": 2}, known, Policies("fill_empty"))
    assert decision.changes == {".A": [1, 2]}


@pytest.mark.parametrize(
    ("old", "new"), [(1, True), (True, 1), (0, False), ([1], [True]), ([{"a": 0}], [{"a": False}])]
)
def test_a_number_is_not_a_truth_value(old, new):
    """Python takes True for 1; the database and the destination do not."""
    assert not merge.same(old, new)
    known = Known(payload=WHO | {KEY: old}, theirs=WHO | {KEY: old}, exists=True)
    decision = decide(WHO | {KEY: new}, known, Policies("fill_empty"))
    assert list(map(repr, decision.write.properties.values())) == [repr(new)]
    assert decision.changes == {KEY: [old, new]}
    assert needs_reading(WHO | {KEY: new}, Known(payload=WHO | {KEY: old}), Policies("fill_empty"))


@pytest.mark.parametrize(("left", "right"), [(1, 1.0), ("a", "a"), ({"a": [1]}, {"a": [1.0]}), (None, None)])
def test_the_same_value_in_another_dress_is_the_same(left, right):
    assert merge.same(left, right)


@pytest.mark.parametrize(
    ("policies", "known", "force", "expected"),
    [
        (Policies("overwrite"), Known(), False, False),
        (Policies("overwrite"), Known(), True, False),
        (Policies("fill_empty"), Known(), False, True),
        (Policies("fill_empty"), Known(theirs={}), False, False),
        (Policies("fill_empty"), Known(exists=False), False, False),
        (Policies("fill_empty"), Known(payload=WHO | {KEY: 1}), False, False),
        (Policies("fill_empty"), Known(payload=WHO | {KEY: 1}), True, True),
        (Policies("max"), Known(payload=WHO | {KEY: 2}), False, True),
        (Policies("max"), Known(payload=WHO | {KEY: 1, ".Gone": 2}), False, True),
        (Policies(""), Known(), False, False),
        (Policies("", {"Points": "max"}), Known(), False, True),
        (Policies("skip_existing"), Known(), False, True),
        (Policies("skip_existing"), Known(created_by_us=True), False, False),
        (Policies("skip_existing"), Known(created_by_us=False), False, False),
    ],
)
def test_reading_only_where_the_policy_needs_it(policies, known, force, expected):
    assert needs_reading(WHO | {KEY: 1}, known, policies, force=force) is expected


def test_an_external_id_needs_no_reading():
    assert not needs_reading({"external_id": "M-1"}, Known(), Policies("keep_theirs"))


def test_flattening_has_one_level():
    assert flatten({"email": "a", "properties": {"email": 1, "B": None}}) == {
        "email": "a",
        ".email": 1,
        ".B": None,
    }
    assert flatten({"email": "a", "properties": None}) == flatten({"email": "a"}) == {"email": "a"}


# A simulated destination ----------------------------------------------------------------------------

VALUES = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(["", "a", "b"]),
    st.lists(st.sampled_from("ab"), max_size=2),
)
DOCUMENTS = st.dictionaries(st.sampled_from(["first_name", "city", ".A", ".B"]), VALUES, max_size=4)


def carry_out(remote, write):
    after = (
        dict(remote) | dict(write.values) | {f".{name}": value for name, value in write.properties.items()}
    )
    for key in [*write.clear, *(f".{name}" for name in write.unset)]:
        after.pop(key, None)
    return after


def shown(value):
    return json.dumps(value, sort_keys=True)


@settings(max_examples=300, deadline=None)
@given(
    policy=st.sampled_from(POLICIES),
    exception=st.sampled_from(["", "overwrite", "fill_empty", "keep_theirs", "max"]),
    before=st.one_of(st.none(), DOCUMENTS),
    remote=st.one_of(st.none(), DOCUMENTS),
    desired=DOCUMENTS,
    force=st.booleans(),
)
def test_a_decision_carried_out_is_stable(policy, exception, before, remote, desired, force):
    """Deciding again on what was just written changes nothing there and keeps the same."""
    policies = Policies(policy, {"A": exception})
    payload = None if before is None else WHO | before
    known = Known(
        payload=payload,
        theirs={} if remote is None else remote,
        exists=remote is not None,
        created_by_us=True if before is not None else remote is None,
    )
    first = decide(WHO | desired, known, policies, force=force)
    after = carry_out(remote or {}, first.write)
    known = Known(
        payload=payload if first.is_skipped else WHO | desired,
        kept=first.kept,
        theirs=after,
        exists=True,
        created_by_us=known.created_by_us,
    )
    second = decide(WHO | desired, known, policies)
    assert shown(carry_out(after, second.write)) == shown(after)
    assert second.changes == {} or second.is_skipped
    assert shown(second.kept) == shown(first.kept)
    if policy == "overwrite" and exception in ("", "overwrite"):
        assert shown({key: after[key] for key in desired}) == shown(desired)


# A property that is being cleared: policy, exception, theirs, kept → what
@pytest.mark.parametrize(
    ("policy", "exception", "theirs", "kept", "expected"),
    [
        ("", "", "other", {}, CLEAR),
        ("overwrite", "", "other", {}, CLEAR),
        ("overwrite", "fill_empty", "other", {}, LEAVE),
        ("overwrite", "keep_theirs", "was", {}, CLEAR),
        ("overwrite", "", "other", {KEY: "other"}, LEAVE),
        ("fill_empty", "", "was", {}, CLEAR),
        ("fill_empty", "", "other", {}, LEAVE),
        ("fill_empty", "", None, {}, LEAVE),
        ("fill_empty", "", "was", {KEY: "was"}, LEAVE),
        ("fill_empty", "overwrite", "other", {}, CLEAR),
        ("keep_theirs", "", "was", {}, CLEAR),
        ("keep_theirs", "", "other", {}, LEAVE),
        ("max", "", "was", {}, CLEAR),
        ("max", "", "other", {}, LEAVE),
        ("skip_existing", "", "was", {}, CLEAR),
        ("skip_existing", "", "other", {}, LEAVE),
    ],
)
def test_a_property_that_is_cleared(policy, exception, theirs, kept, expected):
    policies = Policies(policy, {"Points": exception} if exception else {}, frozenset({"Points"}))
    there = WHO | ({KEY: theirs} if theirs is not None else {})
    known = Known(payload=WHO | {KEY: "was"}, kept=kept, theirs=there, exists=True, created_by_us=True)
    decision = decide(WHO, known, policies)
    assert decision.write.unset == (("Points",) if expected == CLEAR else ())
    assert decision.changes == ({KEY: ["was", None]} if expected == CLEAR else {})
    assert decision.kept == {} and decision.write.properties == {}


def test_only_a_guarded_clearing_reads_first():
    known = Known(payload=WHO | {KEY: "was"}, created_by_us=True)
    for policy in POLICIES:
        reads = needs_reading(WHO, known, Policies(policy, {}, frozenset({"Points"})))
        assert reads is (policy not in ("", "overwrite"))
