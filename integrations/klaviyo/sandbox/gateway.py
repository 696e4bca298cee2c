"""The way of one API call: route, caller, fault, revision, scopes, limits, form, endpoint."""

from __future__ import annotations

import time
import uuid

from integrations.klaviyo.sandbox import auth, revisions
from integrations.klaviyo.sandbox.auth import Caller
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.errors import ApiError, simple, throttled
from integrations.klaviyo.sandbox.faulting import after_commit, before_commit
from integrations.klaviyo.sandbox.journal import key_hash
from integrations.klaviyo.sandbox.limits_table import LIMITS, LOWERED, SCOPES
from integrations.klaviyo.sandbox.queries import Query, read_query
from integrations.klaviyo.sandbox.routing import Match, find
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.windows import Key
from integrations.klaviyo.sandbox.wire import JSON_API, Answer, Request, json_answer


def serve(state: State, request: Request) -> Answer:
    """Answer one call below /api/, and log it under its account."""
    started = time.time()
    request_id = str(uuid.uuid4())
    caller: Caller | None = None
    endpoint = "unknown"
    try:
        match = find(request.method, request.path)
        endpoint = match.endpoint
        caller = auth.identify(state.db, state.accounts, request.headers.get("authorization"))
        answer = _answer(state, request, match, caller)
    except ApiError as error:
        error.errors[0]["id"] = request_id
        answer = json_answer(error.status, error.body(), error.headers)
    answer.headers["X-Klaviyo-Req-Id"] = request_id
    if caller is not None:
        answer.headers["Cid"] = caller.account.public_id
        _log(state, request, answer, caller, endpoint, started)
    return answer


def _answer(state: State, request: Request, match: Match, caller: Caller) -> Answer:
    fault = state.faults.claim(caller.account.name, match.endpoint, f"{request.method} {request.path}")
    if fault is not None and not fault.kind.happens_after_commit:
        return before_commit(fault, SCOPES[match.endpoint])
    revision = revisions.serving(request.headers)
    auth.require(caller, SCOPES[match.endpoint])
    query = read_query(match.endpoint, request.parameters)
    limit_headers = _take(state, caller, match.endpoint, query)
    _check_content_type(request)
    call = Call(state, request, match.endpoint, match.path_ids, caller, revision, query)
    try:
        answer = match.function(call)
    finally:
        _note(call)
    answer.headers.update(limit_headers)
    answer.headers["X-Klaviyo-Api-Revision"] = revision
    answer.headers["X-Klaviyo-Api-Retirement-Date"] = revisions.retirement_date(revision)
    return after_commit(fault, answer) if fault is not None else answer


def _take(state: State, caller: Caller, endpoint: str, query: Query) -> dict[str, str]:
    """Count the call against its windows; the RateLimit-* headers of a call that may pass."""
    scale = state.limits_scale(caller.account)
    if not scale:
        return {}
    key = Key(caller.account.a, caller.auth_kind, endpoint)
    wanted = [(key, LIMITS[endpoint])]
    for name in query.lowered:
        if name in LOWERED:
            wanted.append((key._replace(endpoint=f"{endpoint} {name}"), LOWERED[name]))
    now = time.time()
    wait = state.windows.take(wanted, scale, now)
    if wait:
        raise throttled(wait)
    return state.windows.headers(key, LIMITS[endpoint], scale, now)


def _check_content_type(request: Request) -> None:
    if not request.body:
        return
    # Plain JSON is taken as well, as recordings of revisions from 2025 show.
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in (JSON_API, "application/json"):
        detail = f"Unsupported media type '{given}' in request."
        raise simple(415, "unsupported_media_type", "Unsupported media type.", detail)


def _note(call: Call) -> None:
    journal = call.state.journal
    for name, number in call.rows_written.items():
        journal.count(call.a, call.endpoint, name, number)
    for pointer, detail in call.checks.violations[:50]:
        journal.violation(call.a, call.endpoint, pointer, detail)


def _log(
    state: State, request: Request, answer: Answer, caller: Caller, endpoint: str, started: float
) -> None:
    line = {
        "at": started,
        "method": request.method,
        "path": request.path,
        "query": dict(request.parameters),
        "endpoint": endpoint,
        "status": answer.status,
        "ending": answer.ending.value,
        "revision": request.headers.get("revision"),
        "key": key_hash(caller.credential),
        "bytes": len(request.body),
        "milliseconds": round((time.time() - started) * 1000, 2),
    }
    state.journal.request(caller.account.a, endpoint, line)
