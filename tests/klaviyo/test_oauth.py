"""Signing in: what goes out, and what each answer of the token endpoint means."""

import logging
import re
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses

from integrations.errors import (
    AuthenticationError,
    DestinationError,
    PortalNotAccepted,
    RateLimited,
    Temporary,
    UnexpectedAnswer,
)
from integrations.gateway.values import Tokens
from integrations.klaviyo import conf, limits
from integrations.klaviyo.destination import Klaviyo
from integrations.klaviyo.oauth import KlaviyoSignIn
from portal.tenancy.secrets import Secret

TOKEN = "https://a.klaviyo.com/oauth/token"
REVOKE = "https://a.klaviyo.com/oauth/revoke"
CALLBACK = "https://portal.example/integrations/klaviyo/callback"
REFRESH = Secret("refresh-NeverToBeSeen")
GOOD = {
    "access_token": "access-NeverToBeSeen",
    "token_type": "bearer",
    "expires_in": 1800,
    "refresh_token": "refresh-2",
    "scope": "accounts:read profiles:read",
}
sign_in = KlaviyoSignIn()


@pytest.fixture(autouse=True)
def app(settings, monkeypatch) -> None:
    settings.KLAVIYO_CLIENT_ID, settings.KLAVIYO_CLIENT_SECRET = "client:1", "secret-NeverToBeSeen"
    settings.KLAVIYO_AUTHORIZE_URL = "https://www.klaviyo.com/oauth/authorize"
    settings.KLAVIYO_TOKEN_URL, settings.KLAVIYO_REVOKE_URL = TOKEN, REVOKE


def exchange() -> Tokens:
    return sign_in.exchange(code="code-NeverToBeSeen-0123456789", verifier="v" * 64, redirect_uri=CALLBACK)


def form(number: int = 0) -> dict[str, str]:
    return dict(parse_qsl(responses.calls[number].request.body))


def test_klaviyo_is_signed_in_to_where_the_operator_has_an_app(settings) -> None:
    assert Klaviyo.sign_in.is_offered()
    settings.KLAVIYO_CLIENT_ID = ""
    assert not Klaviyo.sign_in.is_offered()


def test_nothing_is_asked_for_that_no_call_needs() -> None:
    asked = {scope for scope, purpose in sign_in.scopes if purpose}
    assert asked == {scope for rule in limits.RULES.values() for scope in rule.scopes}


def test_the_allow_page_is_asked_with_pkce() -> None:
    parts = urlsplit(sign_in.allow_url(state="s/1", challenge="c" * 43, redirect_uri=CALLBACK))
    assert parts._replace(query="").geturl() == "https://www.klaviyo.com/oauth/authorize"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["client:1"],
        "redirect_uri": [CALLBACK],
        "scope": [" ".join(scope for scope, _ in sign_in.scopes)],
        "state": ["s/1"],
        "code_challenge": ["c" * 43],
        "code_challenge_method": ["S256"],
    }


@responses.activate
def test_a_code_is_exchanged_with_the_verifier_and_our_own_proof(tmp_path, monkeypatch) -> None:
    (tmp_path / ".netrc").write_text("machine a.klaviyo.com login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    responses.post(TOKEN, json=GOOD)
    assert exchange() == Tokens(
        Secret("access-NeverToBeSeen"), Secret("refresh-2"), 1800, ("accounts:read", "profiles:read")
    )
    sent = responses.calls[0].request
    assert form() == {
        "grant_type": "authorization_code",
        "code": "code-NeverToBeSeen-0123456789",
        "code_verifier": "v" * 64,
        "redirect_uri": CALLBACK,
    }
    assert sent.headers["Authorization"] == requests.auth._basic_auth_str("client:1", "secret-NeverToBeSeen")
    assert sent.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert sent.headers["User-Agent"] == conf.USER_AGENT
    assert sent.req_kwargs["timeout"] == conf.TIMEOUT


@responses.activate
def test_a_refresh_keeps_the_old_token_where_none_comes_back() -> None:
    responses.post(TOKEN, json={"access_token": "a2", "token_type": "bearer"})
    found = sign_in.refresh(REFRESH)
    assert (found.access.reveal(), found.refresh, found.expires_in, found.scopes) == ("a2", REFRESH, 3600, ())
    assert form() == {"grant_type": "refresh_token", "refresh_token": REFRESH.reveal()}


@responses.activate
def test_a_grant_is_given_back_by_its_refresh_token() -> None:
    responses.post(REVOKE, body="")
    sign_in.revoke(REFRESH)
    assert form() == {"token": REFRESH.reveal(), "token_type_hint": "refresh_token"}


@responses.activate
def test_a_grant_that_is_gone_already_is_given_back_all_the_same() -> None:
    responses.post(REVOKE, status=400, json={"error": "invalid_grant"})
    sign_in.revoke(REFRESH)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 400, "json": {"error": "invalid_grant"}}, AuthenticationError),
        ({"status": 401, "json": {"error": "invalid_client"}}, PortalNotAccepted),
        ({"status": 400, "json": {"error": "unauthorized_client"}}, PortalNotAccepted),
        ({"status": 401, "json": {}}, PortalNotAccepted),
        ({"status": 400, "json": {"error": "invalid_request"}}, UnexpectedAnswer),
        ({"status": 429, "json": {}, "headers": {"Retry-After": "7"}}, RateLimited),
        ({"status": 500, "json": {"error": "invalid_grant"}}, Temporary),
        ({"status": 503, "body": "busy"}, Temporary),
        ({"status": 403, "body": "<html>blocked</html>"}, Temporary),
        ({"status": 200, "body": "<html>sign in</html>"}, Temporary),
        ({"status": 200, "body": '{"access_token": "a'}, UnexpectedAnswer),
        ({"status": 200, "body": "[]"}, UnexpectedAnswer),
        ({"status": 200, "json": {"token_type": "bearer"}}, UnexpectedAnswer),
        ({"status": 200, "json": {**GOOD, "expires_in": "soon"}}, UnexpectedAnswer),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, UnexpectedAnswer),
        ({"status": 404, "body": ""}, UnexpectedAnswer),
        ({"body": requests.ReadTimeout()}, Temporary),
        ({"body": requests.ConnectionError("reset")}, Temporary),
        ({"body": requests.exceptions.SSLError()}, Temporary),
    ],
)
@responses.activate
def test_each_answer_to_a_refresh_has_its_class(answer, expected: type[DestinationError]) -> None:
    responses.post(TOKEN, **answer)
    with pytest.raises(expected) as caught:
        sign_in.refresh(REFRESH)
    assert type(caught.value) is expected and len(responses.calls) == 1
    if expected is RateLimited:
        assert caught.value.seconds == 7


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_grant_type", "invalid_request"])
@responses.activate
def test_a_code_that_is_refused_means_to_start_again(error: str) -> None:
    responses.post(TOKEN, status=400, json={"error": error, "error_description": "Code expired."})
    with pytest.raises(AuthenticationError, match=r"Connect again\. \(Klaviyo says: Code expired\.\)"):
        exchange()


@responses.activate
def test_an_exchange_without_a_refresh_token_is_none() -> None:
    responses.post(TOKEN, json={"access_token": "a"})
    with pytest.raises(UnexpectedAnswer, match="no refresh token"):
        exchange()


def test_loopback_asks_no_proxy(settings, monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    settings.KLAVIYO_TOKEN_URL = "http://127.0.0.1:9/oauth/token"
    with pytest.raises(Temporary, match="ConnectionError"):
        sign_in.refresh(REFRESH)


def test_an_address_that_is_none_is_the_operators_matter(settings) -> None:
    settings.KLAVIYO_TOKEN_URL = "klaviyo"
    with pytest.raises(PortalNotAccepted, match="operator"):
        sign_in.refresh(REFRESH)


@pytest.mark.parametrize(
    "answer",
    [
        {"json": GOOD},
        {
            "status": 400,
            "json": {"error": "invalid_grant", "error_description": "no code-NeverToBeSeen-0123456789"},
        },
        {"status": 401, "json": {"error": "invalid_client"}},
        {"status": 500, "body": "<html>"},
        {"body": requests.ConnectionError("reset by refresh-NeverToBeSeen")},
    ],
)
@responses.activate
def test_no_secret_is_in_a_log_an_error_or_a_printed_value(answer, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    responses.post(TOKEN, **answer)
    for call in (exchange, lambda: sign_in.refresh(REFRESH)):
        try:
            seen = repr(call())
        except DestinationError as error:
            seen = f"{error.words} {error!r} {error.__cause__!r}"
        assert "NeverToBeSeen" not in seen
    assert not re.search("NeverToBeSeen", caplog.text)
