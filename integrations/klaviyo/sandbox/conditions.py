"""Filter conditions as SQL over the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.filters import Condition

Clause = tuple[str, list[Any]]

_SIGNS = {
    "equals": "=",
    "greater-than": ">",
    "greater-or-equal": ">=",
    "less-than": "<",
    "less-or-equal": "<=",
}


def for_profiles(conditions: list[Condition]) -> Clause:
    return _joined(conditions, _PROFILE)


def for_members(conditions: list[Condition]) -> Clause:
    return _joined(conditions, _MEMBER)


def for_lists(conditions: list[Condition]) -> Clause:
    return _joined(conditions, _LIST)


def for_events(conditions: list[Condition]) -> Clause:
    return _joined(conditions, _EVENT)


def for_jobs(conditions: list[Condition]) -> Clause:
    return _joined(conditions, {"status": _column("status")})


def for_flows(conditions: list[Condition]) -> Clause:
    return _joined(conditions, _FLOW)


def _joined(conditions: list[Condition], fields: dict[str, Callable[[Condition], Clause]]) -> Clause:
    sql, arguments = "", []
    for condition in conditions:
        clause, values = fields[condition.field](condition)
        sql += f" AND {clause}"
        arguments += values
    return sql, arguments


def _column(column: str, read: Callable[[Any], Any] = lambda value: value) -> Callable[[Condition], Clause]:
    """A plain column; a list of values means any of them."""

    def clause(condition: Condition) -> Clause:
        if isinstance(condition.value, list):
            wanted = json.dumps([read(value) for value in condition.value])
            return f"{column} IN (SELECT value FROM json_each(?))", [wanted]
        if condition.operator == "ends-with":
            return f"substr({column}, -length(?)) = ?", [condition.value, condition.value]
        if condition.operator in _PLACES:
            return f"instr({column}, ?) {_PLACES[condition.operator]}", [condition.value]
        return f"{column} {_SIGNS[condition.operator]} ?", [read(condition.value)]

    return clause


_PLACES = {"contains": "> 0", "starts-with": "= 1"}


def _number(salt: str, length: int = 6) -> Callable[[Any], int]:
    """The row number of a public id; one that cannot be an id matches nothing."""

    def read(value: Any) -> int:
        number = ids.number_of(value, salt, length)
        return -1 if number is None else number

    return read


def _profile_number(value: Any) -> int:
    number = ids.profile_number(value)
    return -1 if number is None else number


def _suppressed(
    column: str, scope: str, read: Callable[[Any], Any] = lambda value: value
) -> Callable[[Condition], Clause]:
    def clause(condition: Condition) -> Clause:
        sign = _SIGNS[condition.operator]
        sql = f"p.n IN (SELECT profile_n FROM suppressions WHERE {scope} AND {column} {sign} ?)"
        return sql, [read(condition.value)]

    return clause


def _nothing(condition: Condition) -> Clause:
    """Fields that no practice profile has, such as _kx and push tokens."""
    return "0", []


def _has(sql: str) -> Callable[[Condition], Clause]:
    return lambda condition: (sql, [])


_SUPPRESSION = "subscriptions.email.marketing.suppression."
_LIST_SUPPRESSION = "subscriptions.email.marketing.list_suppressions."

_PROFILE: dict[str, Callable[[Condition], Clause]] = {
    "id": _column("p.n", _profile_number),
    "email": _column("p.email"),
    "phone_number": _column("p.phone"),
    "external_id": _column("p.external_id"),
    "_kx": _nothing,
    "created": _column("p.created"),
    "updated": _column("p.updated"),
    _SUPPRESSION + "reason": _suppressed("reason", "list_n = 0"),
    _SUPPRESSION + "timestamp": _suppressed("at", "list_n = 0"),
    _LIST_SUPPRESSION + "reason": _suppressed("reason", "list_n > 0"),
    _LIST_SUPPRESSION + "timestamp": _suppressed("at", "list_n > 0"),
    _LIST_SUPPRESSION + "list_id": _suppressed("list_n", "list_n > 0", _number("list")),
}
_MEMBER: dict[str, Callable[[Condition], Clause]] = {
    "email": _column("p.email"),
    "phone_number": _column("p.phone"),
    "push_token": _nothing,
    "_kx": _nothing,
    "joined_group_at": _column("m.joined"),
}
_LIST: dict[str, Callable[[Condition], Clause]] = {
    "id": _column("n", _number("list")),
    "name": _column("name"),
    "created": _column("created"),
    "updated": _column("updated"),
}
_EVENT: dict[str, Callable[[Condition], Clause]] = {
    "metric_id": _column("e.metric_n", _number("metric")),
    "profile_id": _column("e.profile_n", _profile_number),
    "profile": _has("1"),
    "metric": _has("1"),
    "datetime": _column("e.at"),
    "timestamp": _column("e.at"),
}
_FLOW: dict[str, Callable[[Condition], Clause]] = {
    "id": _column("n", _number("flow")),
    "name": _column("name"),
    "status": _column("status"),
    "archived": lambda condition: ("0" if condition.value else "1", []),
    "created": _column("created"),
    "updated": _column("created"),
    "trigger_type": _column("trigger_type"),
}
