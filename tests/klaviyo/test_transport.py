"""One HTTP call: what goes out, and what becomes of every way in which it can fail."""

import os

import pytest
import requests
import responses

from integrations.errors import ConfigurationError, DestinationError, Temporary, UnexpectedAnswer
from integrations.gateway.values import Credentials
from integrations.klaviyo import conf, protocol, transport
from portal.runtime import outgoing
from portal.tenancy.secrets import Secret
from tests.klaviyo.samples import profile

BASE = "https://a.klaviyo.com"
READ = protocol.read_accounts()
WRITE = protocol.write_profile(profile())


def credentials(method: str = "private_key", base_url: str = BASE) -> Credentials:
    return Credentials(method, Secret("pk_acme_x"), base_url, "2026-07-15")


@pytest.mark.parametrize(
    ("method", "authorization"),
    [("private_key", "Klaviyo-API-Key pk_acme_x"), ("oauth", "Bearer pk_acme_x")],
)
@responses.activate
def test_a_call_carries_its_headers_and_its_bytes(method: str, authorization: str) -> None:
    responses.post(f"{BASE}/api/profile-import", status=201, json={}, headers={"X-Klaviyo-Req-Id": "r1"})
    found = transport.send(credentials(method), WRITE)
    sent = responses.calls[0].request
    assert sent.body == WRITE.body
    assert sent.headers["Authorization"] == authorization
    assert sent.headers["revision"] == "2026-07-15"
    assert sent.headers["Content-Type"] == sent.headers["Accept"] == "application/vnd.api+json"
    assert sent.headers["User-Agent"] == conf.USER_AGENT
    assert sent.req_kwargs["timeout"] == conf.TIMEOUT and sent.req_kwargs["stream"]
    assert (found.status, found.request_id) == (201, "r1")


@responses.activate
def test_a_read_has_no_body_and_no_content_type() -> None:
    responses.get(f"{BASE}/api/accounts", json={})
    transport.send(credentials(), READ)
    sent = responses.calls[0].request
    assert sent.body is None and "Content-Type" not in sent.headers


@responses.activate
def test_an_address_is_sent_as_it_was_encoded() -> None:
    responses.get(f"{BASE}/api/profiles", json={})
    (call,) = protocol.read_profiles("email", ["ana+vip@acme.io"])
    transport.send(credentials(), call)
    assert responses.calls[0].request.url == BASE + call.target


@responses.activate
def test_a_netrc_entry_never_replaces_the_key(tmp_path, monkeypatch) -> None:
    (tmp_path / ".netrc").write_text("machine a.klaviyo.com login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    responses.get(f"{BASE}/api/accounts", json={})
    transport.send(credentials(), READ)
    assert responses.calls[0].request.headers["Authorization"] == "Klaviyo-API-Key pk_acme_x"


@responses.activate
def test_a_redirect_is_not_followed() -> None:
    responses.get(f"{BASE}/api/accounts", status=302, headers={"Location": "https://evil.example/"})
    assert transport.send(credentials(), READ).status == 302
    assert len(responses.calls) == 1


@responses.activate
def test_cookies_are_not_kept() -> None:
    responses.get(f"{BASE}/api/accounts", json={}, headers={"Set-Cookie": "a=b"})
    transport.send(credentials(), READ)
    transport.send(credentials(), READ)
    assert "Cookie" not in responses.calls[1].request.headers


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (requests.ConnectTimeout(), Temporary),
        (requests.ReadTimeout(), Temporary),
        (requests.ConnectionError("reset by peer"), Temporary),
        (requests.exceptions.SSLError(), Temporary),
        (requests.exceptions.ChunkedEncodingError(), Temporary),
        (requests.exceptions.ContentDecodingError(), Temporary),
    ],
)
@responses.activate
def test_trouble_on_the_way_is_temporary(trouble: Exception, expected: type[DestinationError]) -> None:
    responses.get(f"{BASE}/api/accounts", body=trouble)
    with pytest.raises(expected):
        transport.send(credentials(), READ)


@responses.activate
def test_an_answer_without_end_is_cut_off(monkeypatch) -> None:
    monkeypatch.setattr(conf, "MAX_ANSWER_BYTES", 100_000)
    responses.get(f"{BASE}/api/accounts", body=b"x" * 100_001)
    with pytest.raises(UnexpectedAnswer, match="100,000"):
        transport.send(credentials(), READ)


@pytest.mark.parametrize("base_url", ["", "klaviyo", "ftp://a.klaviyo.com", "http://"])
def test_an_address_that_is_none_is_a_matter_of_configuration(base_url: str) -> None:
    with pytest.raises(ConfigurationError):
        transport.send(credentials(base_url=base_url), READ)


def test_a_refused_connection_is_temporary(monkeypatch) -> None:
    # A proxy of the environment is not asked for loopback; it would answer, or fail, in its own way.
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    with pytest.raises(Temporary, match="ConnectionError"):
        transport.send(credentials(base_url="http://127.0.0.1:9"), READ)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://127.0.0.1:8400", True),
        ("http://localhost:8400", True),
        ("http://[::1]:8400", True),
        ("https://a.klaviyo.com", False),
        ("https://10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_known(base_url: str, expected: bool) -> None:
    assert outgoing.is_this_machine(base_url) is expected


def test_a_forked_process_has_a_session_of_its_own(monkeypatch) -> None:
    mine = transport.session()
    assert transport.session() is mine
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert transport.session() is not mine
