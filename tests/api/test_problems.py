"""Whatever is wrong with a call is said as problem+json, with a status that tells whose turn it is."""

import json

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from loyalty.services import members
from portal.tenancy import tokens
from portal.tenancy.models import ApiToken
from tests.api.conftest import problem_of
from tests.factories import make_member, make_tenant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer nonsense", "Basic abc", "Bearer lp_é", "lp_x"]
)
def test_without_a_known_token_it_is_401(header):
    headers = {} if header is None else {"Authorization": header}
    response = Client().get("/api/v1/members/a", headers=headers)
    problem_of(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_is_401(tenant):
    token, text = tokens.issue(tenant, "old")
    assert tokens.revoke(token)
    assert not tokens.revoke(token)
    problem_of(Client().get("/api/v1/members/a", headers={"Authorization": f"Bearer {text}"}), 401)


def test_the_text_of_a_token_is_stored_nowhere(tenant):
    _, text = tokens.issue(tenant, "till")
    kept = ApiToken.objects.values().get()
    assert text not in json.dumps(kept, default=str)
    assert text.startswith(kept["hint"]) and len(kept["hint"]) < 12


def test_use_of_a_token_is_noted_once_a_minute(tenant, django_assert_num_queries):
    _, text = tokens.issue(tenant, "till")
    assert tokens.find(text) is not None
    noted = ApiToken.objects.get().last_used_at
    assert (timezone.now() - noted).total_seconds() < 5
    with django_assert_num_queries(1):
        tokens.find(text)
    assert ApiToken.objects.get().last_used_at == noted


@pytest.mark.parametrize(
    "path", ["/nothing", "/", "/members", "/members/a%0Ab", "/x/%0A", "/runs/1/x", "/audiences/a"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_where_nothing_is_is_404(call, method, path):
    problem_of(call(method, path, {} if method == "POST" else b""), 404)


def test_a_method_that_is_not_answered_is_405(call):
    response = call("PATCH", "/members/a", {})
    assert "PUT" in problem_of(response, 405)["detail"]
    assert "PUT" in response["Allow"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "empty"),
        (b"{", "line 1"),
        (b'{"members": [NaN]}', "NaN"),
        (b'{"members": [Infinity]}', "Infinity"),
        (b'{"members": [-Infinity]}', "Infinity"),
        (b'{"members": [1e999]}', "too large"),
        (b'{"members": [], "members": []}', "twice"),
        (b'{"members": [{"external_id": "a", "external_id": "b"}]}', "twice"),
        (b'{"members": ["\xff"]}', "UTF-8"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b'\xef\xbb\xbf{"members": []}', "BOM"),
        (b'{"members": [%s]}' % (b"9" * 5000), "digits"),
        (b'{"members": ' + b"[" * 100_000, "deep"),
        (b'{"a": ' * 50_000, "deep"),
        (b'{"members": ["a\x01b"]}', "control"),
    ],
)
def test_a_body_that_is_no_plain_json_is_400(call, body, word):
    assert word in problem_of(call("POST", "/members/batch", body), 400)["detail"]


@pytest.mark.parametrize(
    "body",
    [[], 5, None, "x", {}, {"members": None}, {"members": {}}, {"members": [], "more": 1}, {"Members": []}],
)
def test_an_envelope_of_another_shape_is_422(call, body):
    assert problem_of(call("POST", "/members/batch", body), 422)["errors"]


def test_too_many_items_are_422_with_the_limit(call):
    assert "1,000" in problem_of(call("POST", "/members/batch", {"members": [{}] * 1001}), 422)["detail"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_another_content_type_is_415(call, kind):
    problem_of(call("POST", "/members/batch", b'{"members": []}', content_type=kind), 415)


def test_a_compressed_body_is_415(call):
    problem_of(call("POST", "/members/batch", {"members": []}, Content_Encoding="gzip"), 415)


def test_a_body_over_the_limit_is_413(call):
    body = b'{"members": ["' + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"]}'
    assert "5 MB" in problem_of(call("POST", "/members/batch", body), 413)["detail"]


def test_a_body_of_nearly_the_limit_is_read(call):
    body = json.dumps({"members": [{"external_id": "a", "attributes": {"x": "y" * 5_000_000}}]}).encode()
    assert call("POST", "/members/batch", body).status_code == 200


def test_a_chunked_body_is_read_where_the_server_decodes_it(tenant):
    from io import BytesIO

    _, text = tokens.issue(tenant, "x")

    def send(body: bytes, **extra):
        request = {
            "HTTP_AUTHORIZATION": f"Bearer {text}", "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "",
            "CONTENT_TYPE": "application/json", "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/members/batch",
            "wsgi.input": BytesIO(body), **extra,
        }  # fmt: skip
        return Client().request(**request)

    problem_of(send(b'{"members": []}'), 411)
    decoded = {"wsgi.input_terminated": True}
    assert send(b'{"members": [{"external_id": "a"}]}', **decoded).status_code == 200
    assert send(b'{"members": []}', HTTP_IDEMPOTENCY_KEY="k", **decoded).status_code == 200
    problem_of(send(b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1), **decoded), 413)


def test_a_fault_of_ours_is_500_with_a_reference_and_without_a_traceback(call, monkeypatch, caplog):
    def fail(*_, **__):
        raise KeyError("secret detail")

    monkeypatch.setattr(members, "upsert", fail)
    response = call("POST", "/members/batch", {"members": [{"external_id": "a"}]})
    problem = problem_of(response, 500)
    assert problem["reference"] in problem["detail"] and problem["reference"] in caplog.text
    assert b"secret detail" not in response.content and b"Traceback" not in response.content


def test_trouble_in_the_database_asks_to_come_again(call, monkeypatch):
    def fail(*_, **__):
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(members, "upsert", fail)
    response = call("POST", "/members/batch", {"members": [{"external_id": "a"}]})
    problem_of(response, 503)
    assert response["Retry-After"]


def test_another_tenants_rows_are_404(call):
    other = make_tenant("other")
    make_member(other, "theirs")
    problem_of(call("GET", "/members/theirs"), 404)
    problem_of(call("DELETE", "/members/theirs"), 404)
    assert call("PUT", "/members/theirs", {"first_name": "Mine"}).status_code == 201
    assert other.members.get().first_name == ""
