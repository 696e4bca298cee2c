"""Static audiences by API."""

import json

import pytest

from tests.api.conftest import problem_of
from tests.factories import make_audience, make_member, make_tenant

pytestmark = pytest.mark.django_db


def test_members_join_and_leave_and_the_unknown_are_named(call, tenant):
    audience = make_audience(tenant, "press")
    for name in ("a", "b", "7"):
        make_member(tenant, name)
    first = call("POST", "/audiences/press/members", {"add": ["a", 7, "nobody", None, "x\u0000"]})
    told = json.loads(first.content)
    assert (told["added"], told["unknown"]) == (2, ["nobody"])
    assert [item["pointer"] for item in told["refused"]] == ["/add/3", "/add/4"]
    second = json.loads(
        call("POST", "/audiences/press/members", {"add": ["a"], "remove": ["7", "b"]}).content
    )
    assert (second["added"], second["already"], second["removed"], second["not_members"]) == (0, 1, 1, ["b"])
    assert "refused" not in second
    assert audience.memberships.filter(left_at=None).count() == 1


def test_an_audience_with_a_rule_is_409(call, tenant):
    make_audience(tenant, "gold", rule={"all": [{"field": "points_balance", "op": "at_least", "value": 1}]})
    assert "rule" in problem_of(call("POST", "/audiences/gold/members", {"add": ["a"]}), 409)["detail"]


def test_an_unknown_audience_or_anothers_is_404(call):
    make_audience(make_tenant("other"), "press")
    problem_of(call("POST", "/audiences/press/members", {"add": []}), 404)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"add": "a"},
        {"plus": []},
        {"add": ["a"] * 10_001},
        {"add": ["a"] * 6_000, "remove": ["b"] * 6_000},
    ],
)
def test_a_body_of_another_shape_is_422(call, tenant, body):
    make_audience(tenant, "press")
    problem_of(call("POST", "/audiences/press/members", body), 422)
