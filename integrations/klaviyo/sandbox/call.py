"""One call on its way through an endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from integrations.klaviyo.sandbox.auth import Caller
from integrations.klaviyo.sandbox.checks import Checks
from integrations.klaviyo.sandbox.errors import invalid, too_large
from integrations.klaviyo.sandbox.queries import Query
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.store.database import Database
from integrations.klaviyo.sandbox.wire import Request

MAX_BODY = 5 * 1024 * 1024


@dataclass(slots=True)
class Call:
    """What an endpoint function gets: who calls, what for, and the state to work on."""

    state: State
    request: Request
    endpoint: str
    path_ids: tuple[str, ...]
    caller: Caller
    revision: str
    query: Query
    checks: Checks = field(default_factory=Checks)
    rows_written: dict[str, int] = field(default_factory=dict)

    @property
    def db(self) -> Database:
        return self.state.db

    @property
    def account(self) -> Account:
        return self.caller.account

    @property
    def a(self) -> int:
        return self.caller.account.a

    @property
    def origin(self) -> str:
        return self.request.origin

    @property
    def path_id(self) -> str:
        return self.path_ids[0]

    def body(self, limit: int = MAX_BODY) -> dict[str, Any]:
        """The request body as an object; 413 when it is over the endpoint's limit."""
        if len(self.request.body) > limit:
            raise too_large(f"Request body exceeds the maximum allowed size of {limit} bytes.")
        try:
            parsed = json.loads(self.request.body)
        except ValueError:
            raise invalid("The payload provided in the request is not valid JSON.", "/data") from None
        if not isinstance(parsed, dict):
            raise invalid("The payload must be a JSON object.", "/data")
        return parsed

    def wrote(self, name: str, number: int = 1) -> None:
        """Note rows written, for the counters."""
        self.rows_written[name] = self.rows_written.get(name, 0) + number
