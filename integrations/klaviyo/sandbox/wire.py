"""What crosses the wire: a request as read, an answer to write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

JSON_API = "application/vnd.api+json"


class Ending(Enum):
    """How the connection goes on after an answer; all but the first are planned faults."""

    KEEP = "keep"
    DROP = "drop"  # closed without a byte of answer
    RESET = "reset"  # TCP reset


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower-case, `parameters` are percent-decoded."""

    method: str
    path: str
    parameters: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    origin: str
    target: str

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.parameters if key == name), None)

    @property
    def url(self) -> str:
        return self.origin + self.target


@dataclass(slots=True)
class Answer:
    """One HTTP answer; `pause_seconds` and `ending` carry planned faults."""

    status: int
    body: bytes = b""
    content_type: str = JSON_API
    headers: dict[str, str] = field(default_factory=dict)
    pause_seconds: float = 0.0
    ending: Ending = Ending.KEEP


def read_target(method: str, target: str, headers: Mapping[str, str], body: bytes, origin: str) -> Request:
    """Split a request target; `+` in a query means a space, so addresses must be percent-encoded."""
    parts = urlsplit(target)
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    return Request(method, parts.path, parameters, headers, body, origin, target)


def to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def json_answer(status: int, value: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, to_json(value), headers=dict(headers or {}))


def empty_answer(status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, headers=dict(headers or {}))


def plain_json(status: int, value: Any) -> Answer:
    """An answer of the control API, which is no JSON:API."""
    return Answer(status, json.dumps(value, ensure_ascii=False).encode(), "application/json")
