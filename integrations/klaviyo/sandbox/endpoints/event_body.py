"""One event as it comes in a body: checks, and the form in which it is kept.

Sources: event endpoints of the OpenAPI description (times, unique ids, 400 properties) and the "events API
overview" guide (0, null and "" are dropped).
"""

from __future__ import annotations

import time
from typing import Any

from integrations.klaviyo.sandbox import revisions
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.store.events import NewEvent
from integrations.klaviyo.sandbox.values import read_stamp

MAX_PROPERTIES = 400
MAX_STRING = 100 * 1024
_METRIC_NAME_MAX = 128
_UNIQUE_ID_MAX = 255
_YEAR = 366 * 86_400
_SINCE_1990 = 631_152_000

KEYS = frozenset(("properties", "time", "value", "value_currency", "unique_id", "metric", "backfill"))


def read_event(call: Call, attributes: dict[str, Any], pointer: str, keys: frozenset[str]) -> NewEvent:
    """Check one event's attributes; errors go to the call's checks."""
    checks = call.checks
    allowed = keys if call.revision >= revisions.BACKFILL_SINCE else keys - {"backfill"}
    checks.keys(attributes, allowed, pointer, "event")
    properties = checks.mapping(attributes, "properties", pointer)
    _check_properties(call, properties, f"{pointer}/properties")
    at = _read_time(call, attributes, pointer)
    unique_id = checks.text(attributes, "unique_id", pointer)
    if unique_id is not None and not 1 <= len(unique_id) <= _UNIQUE_ID_MAX:
        checks.refuse(f"'unique_id' must have 1 to {_UNIQUE_ID_MAX} characters.", f"{pointer}/unique_id")
    value = checks.typed(attributes, "value", pointer, _is_number, "a number")
    kept = {key: item for key, item in properties.items() if not _is_dropped(item)}
    if value is not None:
        kept["$value"] = value
    if currency := checks.text(attributes, "value_currency", pointer):
        kept["$value_currency"] = currency
    # Without an id of its own an event is known by its second: two of one metric in one second are one.
    return NewEvent(
        _metric_name(call, attributes, pointer),
        at,
        unique_id or str(at),
        kept,
        checks.flag(attributes, "backfill", pointer),
    )


def _metric_name(call: Call, attributes: dict[str, Any], pointer: str) -> str:
    checks, here = call.checks, f"{pointer}/metric/data"
    data = checks.mapping(checks.mapping(attributes, "metric", pointer), "data", f"{pointer}/metric")
    if not data:
        return ""
    checks.resource(data, "metric", here, ("attributes",))
    inner = checks.mapping(data, "attributes", here)
    checks.keys(inner, ("name", "service"), f"{here}/attributes", "metric")
    name = checks.text(inner, "name", f"{here}/attributes")
    if not name or len(name) >= _METRIC_NAME_MAX:
        checks.refuse("The metric name must have 1 to 127 characters.", f"{here}/attributes/name")
    return name or ""


def _read_time(call: Call, attributes: dict[str, Any], pointer: str) -> int:
    now = time.time()
    text = call.checks.text(attributes, "time", pointer)
    if text is None:
        return int(now)
    at = read_stamp(text)
    if at is None or not _SINCE_1990 <= at <= now + _YEAR:
        detail = "The time must be an ISO 8601 datetime after 1990 and at most one year ahead."
        call.checks.refuse(detail, f"{pointer}/time")
        return int(now)
    return int(at)


def _check_properties(call: Call, properties: dict[str, Any], pointer: str) -> None:
    if len(properties) > MAX_PROPERTIES:
        call.checks.refuse(f"An event can have at most {MAX_PROPERTIES} properties.", pointer)
    for key, item in properties.items():
        if isinstance(item, str) and len(item) > MAX_STRING:
            call.checks.refuse("A string exceeds the maximum allowed size of 100KB.", f"{pointer}/{key}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_dropped(value: Any) -> bool:
    """0, null and "" are not stored; false is."""
    return value is None or value == "" or (_is_number(value) and value == 0)
