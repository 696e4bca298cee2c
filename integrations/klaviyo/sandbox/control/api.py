"""Routes of the control API: /sandbox/api/accounts[/<account>/<what>[/<more>]]."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from integrations.klaviyo.sandbox.control import changes, reads
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.wire import Answer, Request, plain_json


def serve(state: State, request: Request) -> Answer:
    """Answer one control call; the account comes into being when it is named."""
    parts = [unquote(part) for part in request.path.removeprefix("/sandbox/api/").split("/") if part]
    try:
        return plain_json(200, _answer(state, request, parts))
    except LookupError as error:
        return plain_json(404, {"error": f"not found: {error}"})
    except (TypeError, ValueError) as error:
        return plain_json(400, {"error": str(error)})


def _answer(state: State, request: Request, parts: list[str]) -> Any:
    if parts == ["accounts"] and request.method == "GET":
        return {
            "accounts": [reads.summary(state, state.accounts.open(name)) for name in state.accounts.names()]
        }
    if len(parts) < 3 or parts[0] != "accounts":
        raise LookupError(request.path)
    account = state.accounts.open(parts[1])
    if request.method == "GET":
        return _read(state, account, parts[2:], dict(request.parameters))
    change = changes.CHANGES.get((request.method, parts[2]))
    if change is None:
        raise LookupError(request.path)
    return change(state, account, _body(request))


def _read(state: State, account: Account, parts: list[str], parameters: dict[str, str]) -> Any:
    if parts[0] == "lists" and len(parts) == 3 and parts[2] == "members":
        return reads.members(state, account, parts[1])
    read = reads.READS.get(parts[0]) if len(parts) == 1 else None
    if read is None:
        raise LookupError("/".join(parts))
    return read(state, account, parameters)


def _body(request: Request) -> dict[str, Any]:
    parsed = json.loads(request.body) if request.body else {}
    if not isinstance(parsed, dict):
        raise ValueError("the body must be a JSON object")
    return parsed
