"""Small builders for the tests of the Klaviyo client."""

import json
from datetime import UTC, datetime
from typing import Any

from integrations.gateway.values import EventWrite, ProfileWrite
from integrations.klaviyo.protocol import Answer

ANA = ProfileWrite(values={"external_id": "M-1", "email": "ana@acme.io"})


def profile(**changes: Any) -> ProfileWrite:
    values: dict[str, Any] = {"values": ANA.values, "properties": {"Points Balance": 0}, **changes}
    return ProfileWrite(**values)


def event(**changes: Any) -> EventWrite:
    values: dict[str, Any] = {
        "uid": "0f3c",
        "metric": "Points Earned",
        "occurred_at": datetime(2026, 7, 20, 10, 15, 30, 999, UTC),
        "properties": {"Points": 50},
        "profile": ANA,
        **changes,
    }
    return EventWrite(**values)


def answer(status: int, document: Any = None, **headers: str) -> Answer:
    """An answer with a JSON body (bytes are taken as they are)."""
    body = (
        document
        if isinstance(document, bytes)
        else b""
        if document is None
        else json.dumps(document).encode()
    )
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def error(
    detail: str = "Invalid.", pointer: str | None = None, code: str = "invalid", **more: Any
) -> dict[str, Any]:
    source = {} if pointer is None else {"pointer": pointer}
    return {"id": "r1", "code": code, "title": "Title.", "detail": detail, "source": source, **more}


def errors(*found: dict[str, Any]) -> dict[str, Any]:
    return {"errors": list(found)}
