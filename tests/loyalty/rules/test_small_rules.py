from datetime import UTC, datetime

import pytest

from loyalty.rules import inputs
from loyalty.rules.event_kinds import KINDS, payload
from loyalty.rules.member_merge import BLANK, Draft
from loyalty.rules.tiers import Standing, Step, definition_errors, is_rise, standing
from loyalty.rules.tombstones import digest

SILVER, GOLD = Step("silver", "Silver", 100), Step("gold", "Gold", 500)


@pytest.mark.parametrize(
    ("lifetime", "expected"),
    [
        (0, Standing(None, SILVER, 100, 0.0)),
        (99, Standing(None, SILVER, 1, 0.99)),
        (100, Standing(SILVER, GOLD, 400, 0.0)),
        (300, Standing(SILVER, GOLD, 200, 0.5)),
        (500, Standing(GOLD, None, None, 1.0)),
    ],
)
def test_where_a_member_stands(lifetime, expected):
    assert standing([GOLD, SILVER], lifetime) == expected


def test_no_tiers_is_the_top():
    assert standing([], 5) == Standing(None, None, None, 1.0)


@pytest.mark.parametrize(
    ("before", "after", "rises"),
    [(None, 0, True), (0, None, False), (0, 5, True), (5, 0, False), (None, None, False)],
)
def test_which_way_a_move_goes(before, after, rises):
    assert is_rise(before, after) is rises


def test_tiers_must_differ():
    told = definition_errors([SILVER, Step("silver", "S", 100), Step("low", "Low", -1)])
    assert [sentence.partition(":")[0] for sentence in told] == ["silver", "silver", "low"]
    assert definition_errors([SILVER, GOLD]) == ()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.key)
def test_a_kind_has_a_payload_of_its_own_fields(kind):
    assert payload(kind.key, kind.sample) == kind.sample
    assert len({field.name for field in kind.fields}) == len(kind.fields)
    types = {"text": str, "number": int, "datetime": str}
    assert all(isinstance(field.sample, types[field.type]) for field in kind.fields)


def test_metrics_are_those_of_the_contract():
    assert {key: kind.metric for key, kind in KINDS.items()} == {
        "points_earned": "Points Earned",
        "points_redeemed": "Points Redeemed",
        "points_adjusted": "Points Adjusted",
        "member_joined": "Joined Loyalty Program",
        "tier_achieved": "Tier Achieved",
        "tier_lost": "Tier Lost",
    }


def test_a_payload_leaves_out_what_is_unknown_and_writes_times_in_utc():
    at = datetime(2026, 3, 1, 9, 30, 5, 999, tzinfo=UTC)
    told = payload("tier_lost", {"Balance": 0, "Previous Tier": None, "Reason": "", "Occurred At": at})
    assert told == {"Balance": 0, "Occurred At": "2026-03-01T09:30:05Z"}


def test_a_payload_tells_nothing_that_its_kind_does_not_name():
    with pytest.raises(ValueError, match="Colour"):
        payload("points_earned", {"Colour": "red"})


def test_digests_are_of_use_within_one_tenant_and_kind_only():
    told = [digest(1, "email", "a@b.co"), digest(2, "email", "a@b.co"), digest(1, "phone", "a@b.co")]
    assert len(set(told)) == 3
    assert all(len(text) == 64 for text in told)


@pytest.mark.parametrize(
    ("before", "told", "after", "is_new"),
    [
        ({}, {"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1}, {"a": 1}, False),
        ({"a": 1}, {"a": True}, {"a": True}, True),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}, True),
        ({"b": 2}, {"a": None}, {"b": 2}, False),
        ({"b": 2}, None, {}, True),
        ({}, None, {}, False),
    ],
)
def test_attributes_merge(before, told, after, is_new):
    draft = Draft("1", {**BLANK, "attributes": before}, member_id=5)
    assert draft.merge({"attributes": told}) is is_new
    assert draft.values["attributes"] == after
    assert draft.is_changed is is_new


def test_what_is_omitted_stays():
    draft = Draft("1", {**BLANK, "attributes": {"a": 1}}, member_id=5)
    assert draft.merge({"city": "Rome"})
    assert draft.values["attributes"] == {"a": 1}


@pytest.mark.parametrize(
    ("before", "state", "joins"),
    [
        ("", "member", True),
        ("candidate", "member", True),
        ("disabled", "member", False),
        ("", "candidate", False),
    ],
)
def test_who_joins(before, state, joins):
    assert Draft("1", {**BLANK, "state": state}, state_before=before).has_joined is joins


@pytest.mark.parametrize(
    ("value", "is_clean"),
    [
        (None, True), (1, True), (True, True), (1.5, True), ("a\nb", True), ({"a": [1, "b"]}, True), ((1,), True),
        ("\x00", False), ("\ud800", False), (float("inf"), False), (float("nan"), False), ({1: 2}, False),
        ({"\x00": 1}, False), ([{"a": "\x00"}], False), (object(), False), (b"a", False),
    ],
)  # fmt: skip
def test_what_json_columns_can_keep(value, is_clean):
    assert inputs.is_clean_json(value) is is_clean
