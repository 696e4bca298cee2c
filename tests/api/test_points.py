"""Points by API."""

import json

import pytest

from tests.api.conftest import problem_of
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db


def entry(external_id="a", points=10, key="k", **more):
    return {"external_id": external_id, "points": points, "reason": "Order", "idempotency_key": key, **more}


def post(call, *entries):
    response = call("POST", "/points/batch", {"entries": list(entries)})
    assert response.status_code == 200, response.content
    return json.loads(response.content)["results"]


def test_each_entry_is_answered_with_the_balance_after_it(call, tenant):
    make_member(tenant, "a")
    found = post(
        call,
        entry(points=100, key="1"),
        entry(points=-30, key="2"),
        entry(points=-500, key="3"),
        entry(points=5, key="4"),
    )
    assert [item["status"] for item in found] == ["created", "created", "refused", "created"]
    assert [item.get("balance") for item in found] == [100, 70, None, 75]
    assert found[0].keys() == {"index", "external_id", "idempotency_key", "status", "entry_id", "balance"}
    assert found[2]["errors"]


def test_an_entry_told_twice_counts_once(call, tenant):
    member = make_member(tenant, "a")
    assert post(call, entry())[0]["status"] == "created"
    again = post(call, entry())[0]
    assert (again["status"], again["balance"]) == ("repeated", 10)
    assert post(call, entry(points=11))[0]["status"] == "refused"
    member.refresh_from_db()
    assert member.points_balance == 10


@pytest.mark.parametrize(
    "bad",
    [
        5, None, {}, [], entry(points=0), entry(points=1.5), entry(points=True), entry(points="1"),
        entry(points=10**99), entry(points=-(10**30)),
        entry(kind="gift"), entry(kind=[]), entry(nope=1), entry(key="a\u0000"), entry(key=""),
        entry(external_id="nobody"), entry(external_id="\ud800"), entry(occurred_at="yesterday"), entry(reason=""),
        entry(points=-1, expires_at="2030-01-01T00:00:00Z"), entry(kind="redeem"), entry(key="x" * 256),
        entry(occurred_at="0001-01-01T00:00:00Z"), entry(expires_at="9999-12-31T23:59:59-12:00"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused_alone(call, tenant, bad):
    make_member(tenant, "a")
    found = post(call, entry(key="before"), bad, entry(key="after"))
    assert [item["status"] for item in found] == ["created", "refused", "created"]
    assert found[1]["errors"] and found[1]["index"] == 1


def test_another_tenants_member_gets_nothing(call):
    theirs = make_member(make_tenant("other"), "a")
    assert post(call, entry())[0]["status"] == "refused"
    theirs.refresh_from_db()
    assert theirs.points_balance == 0


def test_too_many_entries_are_422(call):
    problem_of(call("POST", "/points/batch", {"entries": [1] * 1001}), 422)
