"""Whatever is sent, it is answered: never with a fault of ours."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.rules.ledger_entries import FIELDS as ENTRY_FIELDS
from loyalty.rules.member_input import FIELDS as MEMBER_FIELDS
from tests.factories import make_audience, make_member

pytestmark = pytest.mark.django_db
relaxed = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
texts = st.text(max_size=12) | st.sampled_from(
    ["a", "", "\0", "\ud800", "x" * 600, "granted", "1990-05-17", "2026-01-01T00:00:00Z"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def items(fields):
    known = st.dictionaries(st.sampled_from(sorted(fields)), values, max_size=8)
    return st.lists(known | values, max_size=5)


def send(call, path, body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")
    response = call("POST", path, raw)
    assert response.status_code in (200, 400, 422), response.content
    return response


@relaxed
@given(given_items=items(MEMBER_FIELDS))
def test_members_of_any_shape(call, given_items):
    response = send(call, "/members/batch", {"members": given_items})
    results = json.loads(response.content)["results"]
    assert [item["index"] for item in results] == list(range(len(given_items)))


@relaxed
@given(given_items=items(ENTRY_FIELDS))
def test_entries_of_any_shape(call, tenant, given_items):
    make_member(tenant, "a") if not tenant.members.filter(external_id="a").exists() else None
    response = send(call, "/points/batch", {"entries": given_items})
    assert len(json.loads(response.content)["results"]) == len(given_items)


@relaxed
@given(add=st.lists(values, max_size=5), remove=values)
def test_ids_of_any_shape(call, tenant, add, remove):
    make_audience(tenant, "press") if not tenant.audiences.exists() else None
    send(call, "/audiences/press/members", {"add": add, "remove": remove})


@relaxed
@given(body=values | st.binary(max_size=60))
def test_bodies_of_any_shape(call, body):
    send(call, "/members/batch", body)


@relaxed
@given(fields=st.dictionaries(st.sampled_from(sorted(MEMBER_FIELDS)), values, max_size=6))
def test_one_member_of_any_shape(call, fields):
    raw = json.dumps(fields).encode()
    assert call("PUT", "/members/a", raw).status_code in (200, 201, 422)
