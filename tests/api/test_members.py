"""Members by API: item by item, and one by one."""

import json
from urllib.parse import quote

import pytest

from loyalty.models import Member
from tests.api.conftest import problem_of
from tests.factories import make_member, make_tier

pytestmark = pytest.mark.django_db


def results(response):
    assert response.status_code == 200, response.content
    return json.loads(response.content)["results"]


def test_a_bad_item_is_refused_alone(call):
    given = [
        {"external_id": "a", "email": "A@Example.com"},
        7,
        None,
        {"external_id": "b", "wrong": 1},
        {"external_id": "c", "phone": "12"},
        {"external_id": "d\u0000"},
        {"external_id": "\ud800"},
        {"external_id": "e", "attributes": {"x": json.loads("[" * 100 + "]" * 100)}},
        {"external_id": 9},
    ]
    found = results(call("POST", "/members/batch", {"members": given}))
    assert [item["index"] for item in found] == list(range(len(given)))
    assert [item["status"] for item in found] == [
        "created", "refused", "refused", "refused", "created", "refused", "refused", "refused", "created",
    ]  # fmt: skip
    assert found[0] == {"index": 0, "external_id": "a", "status": "created"}
    assert all(item["errors"] for item in found if item["status"] == "refused")
    assert found[4]["warnings"]
    assert set(Member.objects.values_list("external_id", flat=True)) == {"a", "c", "9"}


def test_the_same_batch_again_changes_nothing(call):
    body = {
        "members": [{"external_id": "a", "attributes": {"x": [1, None]}, "tags": ["t"], "birthday": "05-17"}]
    }
    assert [call("POST", "/members/batch", body) for _ in range(2)]
    assert results(call("POST", "/members/batch", body))[0]["status"] == "unchanged"


def test_no_items_are_no_results(call):
    assert results(call("POST", "/members/batch", {"members": []})) == []


@pytest.mark.parametrize(
    "name", ["a", "batch", "x/y", "é ü", "50%", "a+b", "q?x=1", "#1", "//", "日本", "a;b", "batch/x"]
)
def test_any_id_can_stand_in_an_address(call, name):
    path = "/members/" + quote(name, safe="")
    problem_of(call("GET", path), 404)
    assert call("PUT", path, {"first_name": "Ada"}).status_code == 201
    shown = json.loads(call("GET", path).content)
    assert (shown["external_id"], shown["first_name"]) == (name, "Ada")
    assert call("DELETE", path).status_code == 204
    problem_of(call("GET", path), 404)
    problem_of(call("DELETE", path), 404)


def test_put_changes_what_is_given_and_leaves_the_rest(call, tenant):
    make_member(tenant, "a", first_name="Ada", last_name="L", tags=["x"])
    response = call("PUT", "/members/a", {"external_id": "a", "first_name": None, "phone": "no number"})
    saved = json.loads(response.content)
    assert (response.status_code, saved["status"]) == (200, "updated")
    assert (saved["first_name"], saved["last_name"], saved["tags"]) == ("", "L", ["x"])
    assert saved["warnings"] and saved["phone_malformed"]
    assert json.loads(call("PUT", "/members/a", {}).content)["status"] == "unchanged"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"external_id": "b"}, "/external_id"),
        ({"external_id": None}, "/external_id"),
        ({"first_name": 5}, "/first_name"),
        ({"nope": 1}, "/nope"),
        ({"consent": {"fax": "granted"}}, "/consent"),
    ],
)
def test_put_of_what_cannot_be_stored_names_the_field(call, body, pointer):
    problem = problem_of(call("PUT", "/members/a", body), 422)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize("body", [b'{"first_name": "\\u0000"}', b'{"first_name": "\\ud800"}', b"[]"])
def test_put_of_text_that_cannot_be_stored_is_422(call, body):
    problem_of(call("PUT", "/members/a", body), 422)


def test_what_was_shown_can_be_sent_back(call, tenant):
    tier = make_tier(tenant, threshold=0)
    given = {
        "email": "a@example.com",
        "birthday": "1990-05-17",
        "attributes": {"k": 1},
        "consent": {"sms": "granted"},
    }
    assert call("PUT", "/members/a", given).status_code == 201
    shown = json.loads(call("GET", "/members/a").content)
    assert {key: shown[key] for key in given} == given
    assert (shown["tier_slug"], shown["points_balance"]) == (tier.slug, 0)
    assert (
        json.loads(call("PUT", "/members/a", {key: shown[key] for key in given}).content)["status"]
        == "unchanged"
    )


def test_the_erased_do_not_come_back(call):
    call("PUT", "/members/a", {"first_name": "Ada"})
    assert call("DELETE", "/members/a").status_code == 204
    problem_of(call("PUT", "/members/a", {"first_name": "Ada"}), 410)
    [result] = results(call("POST", "/members/batch", {"members": [{"external_id": "a"}]}))
    assert result["status"] == "refused" and "erased" in result["errors"][0]


def test_a_nul_in_an_address_is_404(call):
    problem_of(call("GET", "/members/a%00b"), 404)
    problem_of(call("PUT", "/members/a%00b", {}), 422)
    problem_of(call("POST", "/audiences/a%00b/members", {}), 404)
