"""The practice Klaviyo's OAuth: as strict as documented, and plain OAuth in its errors."""

import base64
import hashlib
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from tests.klaviyo.sandbox_process import REVISION

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CALLBACK = "http://127.0.0.1:8000/integrations/klaviyo/callback"
ASKED = {
    "response_type": "code",
    "client_id": "sandbox-client",
    "redirect_uri": CALLBACK,
    "scope": "accounts:read profiles:read",
    "state": "s1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def allow_url(sandbox):
    def make(**changes):
        asked = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
        return f"{sandbox.url}/oauth/authorize?{urlencode(asked)}"

    return make


@pytest.fixture
def ask(sandbox):
    def call(path="token", *, auth=("sandbox-client", "sandbox-secret"), **form):
        return requests.post(f"{sandbox.url}/oauth/{path}", data=form, auth=auth, timeout=20)

    return call


@pytest.fixture
def exchange(ask, account, allow_url):
    def make(**changes):
        code = account.allow(allow_url())["code"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": VERIFIER,
            "redirect_uri": CALLBACK,
        }
        return ask(**{**form, **changes})

    return make


@pytest.fixture
def read(sandbox):
    def call(token, path="/api/accounts"):
        headers = {"Authorization": f"Bearer {token}", "revision": REVISION}
        return requests.get(sandbox.url + path, headers=headers, timeout=20)

    return call


def test_the_allow_page_says_what_is_asked_and_offers_the_accounts(account, allow_url):
    account.state()
    answer = requests.get(allow_url(), timeout=20)
    assert answer.status_code == 200
    for text in (
        "profiles:read",
        "Allow",
        "Deny",
        'value="" list="accounts" required',
        f'<option value="{account.name}">',
        "Analyst",
    ):
        assert text in answer.text
    assert "form-action 'self' http://127.0.0.1:8000" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://["},
        {"redirect_uri": "http://127.0.0.1:8000/\r\nSet-Cookie: a=b"},
        {"redirect_uri": "http://x;script-src@127.0.0.1:8000/callback"},
    ],
)
def test_nobody_is_sent_back_to_an_unknown_address(allow_url, changes):
    answer = requests.get(allow_url(**changes), timeout=20, allow_redirects=False)
    assert answer.status_code == 400 and "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"scope": "accounts:read everything"}, "invalid_scope"),
        ({"scope": "profiles:read"}, "invalid_scope"),
    ],
)
def test_a_wrong_question_is_told_to_the_app(allow_url, changes, error):
    answer = requests.get(allow_url(**changes), timeout=20, allow_redirects=False)
    back = urlsplit(answer.headers["Location"])
    assert answer.status_code == 302 and back._replace(query="").geturl() == CALLBACK
    assert dict(parse_qsl(back.query))["error"] == error


def test_denying_and_a_wrong_role_come_back_as_access_denied(account, allow_url):
    denied = account.allow(allow_url(), decision="deny")
    assert (denied["error"], denied["state"]) == ("access_denied", "s1")
    wrong = account.allow(allow_url(), role="Analyst")
    assert wrong["error"] == "access_denied" and "Owner, Admin or Manager" in wrong["error_description"]


def test_a_name_that_no_account_can_have_is_asked_for_again(allow_url):
    given = {**ASKED, "account": "<b>", "role": "Owner", "decision": "allow"}
    answer = requests.post(allow_url().partition("?")[0], data=given, timeout=20)
    assert answer.status_code == 400 and "letters, digits" in answer.text and "<b>&" not in answer.text


def test_a_code_becomes_tokens_that_may_what_was_granted(account, exchange, read):
    found = exchange().json()
    assert (found["token_type"], found["expires_in"], found["scope"]) == (
        "bearer", 3600, "accounts:read profiles:read",
    )  # fmt: skip
    assert read(found["access_token"]).json()["data"][0]["id"] == account.state()["id"]
    refused = read(found["access_token"], "/api/lists")
    assert refused.status_code == 403 and "lists:read" in refused.text


@pytest.mark.parametrize(
    "changes",
    [{"code": "another"}, {"code_verifier": "w" * 64}, {"redirect_uri": "http://127.0.0.1:9/"}],
)
def test_a_code_is_bound_to_its_verifier_and_its_address(exchange, changes):
    answer = exchange(**changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_good_once(account, allow_url, ask):
    code = account.allow(allow_url())["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": CALLBACK,
    }
    assert [ask(**form).status_code for _ in range(2)] == [200, 400]


def test_the_app_must_prove_itself(ask, exchange):
    answer = ask(auth=("sandbox-client", "wrong"), grant_type="refresh_token", refresh_token="x")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert ask(auth=None, grant_type="refresh_token").json()["error"] == "invalid_client"
    assert ask(grant_type="password").json()["error"] == "unsupported_grant_type"


def test_renewing_keeps_the_refresh_token_unless_told_otherwise(account, exchange, ask, read):
    first = exchange().json()
    second = ask(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    account.oauth(rotates=True, expires_in=5)
    third = ask(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert third["refresh_token"] != first["refresh_token"] and third["expires_in"] == 5
    assert ask(grant_type="refresh_token", refresh_token=first["refresh_token"]).status_code == 400
    assert read(third["access_token"]).status_code == 200


def test_an_access_token_ends(account, exchange, read):
    token = exchange().json()["access_token"]
    account.oauth(expire_now=True)
    answer = read(token)
    assert answer.status_code == 401 and "access token" in answer.text


def test_scopes_can_be_taken_from_what_is_installed(account, exchange, read):
    token = exchange().json()["access_token"]
    account.oauth(scopes=["accounts:read"])
    assert read(token, "/api/profiles").status_code == 403


@pytest.mark.parametrize("how", ["revoked by the app", "removed by the control API", "removed on the page"])
def test_an_app_that_is_gone_has_no_access(sandbox, account, exchange, ask, read, how):
    found = exchange().json()
    page = f"{sandbox.url}/accounts/{account.name}/apps"
    assert "sandbox-client" in requests.get(page, timeout=20).text
    if how == "revoked by the app":
        assert ask("revoke", token=found["refresh_token"], token_type_hint="refresh_token").status_code == 200
    elif how == "removed by the control API":
        account.uninstall()
    else:
        assert (
            "No app is installed" in requests.post(page, data={"client": "sandbox-client"}, timeout=20).text
        )
    assert read(found["access_token"]).status_code == 401
    renewed = ask(grant_type="refresh_token", refresh_token=found["refresh_token"])
    assert renewed.json()["error"] == "invalid_grant"
    assert account.apps() == []


def test_another_page_cannot_press_the_button(sandbox, account, exchange):
    exchange()
    answer = requests.post(
        f"{sandbox.url}/accounts/{account.name}/apps",
        data={"client": "sandbox-client"},
        headers={"Origin": "https://evil.example"},
        timeout=20,
    )
    assert answer.status_code == 403 and len(account.apps()) == 1


def test_an_app_has_a_rate_pool_of_its_own(account, api, exchange, read):
    token = exchange().json()["access_token"]
    account.limits(1)
    keys = [api("GET", "/api/accounts").status_code for _ in range(3)]
    assert 429 in keys
    assert read(token).status_code == 200


def test_token_calls_are_limited_logged_and_can_fail(account, exchange, ask):
    refresh = exchange().json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    account.fault("POST /oauth/token", "html_502")
    account.fault("POST /oauth/token", "revoked", after=1)
    assert ask(**form).status_code == 502
    assert ask(**form).status_code == 200
    assert ask(**form).json()["error"] == "invalid_client"
    account.limits(1)
    answers = [ask(**form) for _ in range(25)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert account.stats()["endpoints"]["POST /oauth/token"]["calls"] == 29
    assert refresh not in str(account.requests())
