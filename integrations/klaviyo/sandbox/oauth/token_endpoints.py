"""POST /oauth/token and /oauth/revoke: plain OAuth JSON, not JSON:API."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote_plus

from integrations.klaviyo.sandbox.errors import ApiError
from integrations.klaviyo.sandbox.faulting import after_commit, before_commit
from integrations.klaviyo.sandbox.faults import Kind
from integrations.klaviyo.sandbox.limits_table import Limit
from integrations.klaviyo.sandbox.oauth import asking
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store import grants
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.store.database import Row
from integrations.klaviyo.sandbox.windows import Key
from integrations.klaviyo.sandbox.wire import Answer, Request, json_answer, plain_json

_A_MINUTE = Limit(10, 10)  # "about 10 a minute per install" (developer docs, OAuth)
_NO_STORE = {"Cache-Control": "no-store"}


class _Refused(Exception):
    def __init__(
        self, error: str, description: str, status: int = 400, account: Account | None = None
    ) -> None:
        super().__init__(description)
        self.error = error
        self.status = status
        self.account = account


def serve(state: State, request: Request) -> Answer:
    """Answer one call, and log it under the account that the code or the token is about."""
    started = time.time()
    endpoint = f"{request.method} {request.path}"
    account: Account | None = None
    try:
        account, work = _read(state, request)
        answer = _answer(state, account, endpoint, work)
    except _Refused as error:
        account = account or error.account
        answer = plain_json(error.status, {"error": error.error, "error_description": str(error)})
    answer.headers.update(_NO_STORE)
    if account is not None:
        _log(state, account, request, answer, started)
    return answer


def _read(state: State, request: Request) -> tuple[Account, Callable[[], Answer]]:
    """Whom the call is about, and the work that it asks for."""
    if request.method != "POST":
        raise _Refused("invalid_request", "Use POST.", 405)
    client = _client(request.headers.get("authorization", ""))
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise _Refused("invalid_request", "Send application/x-www-form-urlencoded.")
    form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    if request.path == "/oauth/revoke":
        grant = _grant(state, client, form.get("token", ""))
        return _account(state, grant["a"]), lambda: _revoke(state, grant)
    kind = form.get("grant_type", "")
    if kind == "authorization_code":
        return _exchange(state, client, form)
    if kind == "refresh_token":
        grant = _grant(state, client, form.get("refresh_token", ""))
        return _account(state, grant["a"]), lambda: _refresh(state, grant)
    raise _Refused("unsupported_grant_type", f"Unknown grant_type “{kind}”.")


def _client(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = secret = ""
    given = (unquote_plus(name), unquote_plus(secret))
    if scheme.lower() != "basic" or given != (asking.CLIENT_ID, asking.CLIENT_SECRET):
        raise _Refused("invalid_client", "Client authentication failed.", 401)
    return given[0]


def _grant(state: State, client: str, token: str) -> Row:
    grant = grants.by_refresh(state.db, client, token)
    if grant is None:
        raise _Refused("invalid_grant", "The refresh token is invalid or was revoked.")
    return grant


def _account(state: State, number: int) -> Account:
    account = state.accounts.by_number(number)
    if account is None:
        raise _Refused("invalid_grant", "The account is gone.")
    return account


def _answer(state: State, account: Account, endpoint: str, work: Callable[[], Answer]) -> Answer:
    fault = state.faults.claim(account.name, endpoint, endpoint)
    if fault is not None and fault.kind is Kind.REVOKED:
        raise _Refused("invalid_client", "Planned fault.", 401)
    try:
        if fault is not None and not fault.kind.happens_after_commit:
            return before_commit(fault, ("accounts:read",))
    except ApiError as error:
        return json_answer(error.status, error.body(), error.headers)
    scale = state.limits_scale(account)
    wait = scale and state.windows.take([(Key(account.a, "oauth", endpoint), _A_MINUTE)], scale, time.time())
    if wait:
        answer = plain_json(429, {"error": "rate_limited", "error_description": "Too many token requests."})
        answer.headers["Retry-After"] = str(wait)
        return answer
    answer = work()
    return after_commit(fault, answer) if fault is not None else answer


def _exchange(state: State, client: str, form: Mapping[str, str]) -> tuple[Account, Callable[[], Answer]]:
    code = grants.take_code(state.db, form.get("code", ""), time.time())
    if code is None:
        raise _Refused("invalid_grant", "The code is invalid, expired or was used.")
    account = _account(state, code.a)
    if code.client != client or code.redirect_uri != form.get("redirect_uri"):
        raise _Refused("invalid_grant", "The redirect_uri is not that of the code.", account=account)
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
        raise _Refused("invalid_grant", "The code_verifier does not match.", account=account)
    return account, lambda: _tokens(state, account, grants.add_grant(state.db, code, time.time()))


def _refresh(state: State, grant: Row) -> Answer:
    account = _account(state, grant["a"])
    if account.settings.rotates_refresh:
        grant = grants.rotate(state.db, grant["n"])
    return _tokens(state, account, grant)


def _tokens(state: State, account: Account, grant: Row) -> Answer:
    seconds = account.settings.token_seconds
    return plain_json(
        200,
        {
            "access_token": grants.add_token(state.db, grant["n"], seconds, time.time()),
            "token_type": "bearer",
            "expires_in": seconds,
            "refresh_token": grant["refresh"],
            "scope": grant["scopes"],
        },
    )


def _revoke(state: State, grant: Row) -> Answer:
    """The app leaves the account, with every grant that it has there."""
    grants.uninstall(state.db, grant["a"], grant["client"])
    return plain_json(200, {})


def _log(state: State, account: Account, request: Request, answer: Answer, started: float) -> None:
    """Of the body nothing is kept: it holds codes and tokens."""
    line = {
        "at": started,
        "method": request.method,
        "path": request.path,
        "query": {},
        "endpoint": f"{request.method} {request.path}",
        "status": answer.status,
        "ending": answer.ending.value,
        "revision": None,
        "key": "",
        "bytes": len(request.body),
        "milliseconds": round((time.time() - started) * 1000, 2),
    }
    state.journal.request(account.a, str(line["endpoint"]), line)
