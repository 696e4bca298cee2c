"""What each operator of an audience rule takes: on which types of field, and with what value."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from loyalty.rules import inputs
from loyalty.rules.inputs import InputError

MAX_DAYS = 3_650
MAX_LISTED = 1_000
TYPE_WORDS = {
    "text": "text",
    "number": "a number",
    "boolean": "yes or no",
    "date": "a day",
    "datetime": "a time",
    "list": "a list",
    "any": "one of your attributes",
}
_EVERY = frozenset(TYPE_WORDS)
_EQUAL = frozenset({"text", "number", "boolean", "date", "any"})
_AMONG = frozenset({"text", "number", "date", "list", "any"})
_ORDERED = frozenset({"number", "any"})
_DAYS = frozenset({"date", "datetime", "any"})

# Operator → types of field it fits. The order is that of the form.
OPERATORS: dict[str, frozenset[str]] = {
    "equals": _EQUAL,
    "not_equals": _EQUAL,
    "in": _AMONG,
    "not_in": _AMONG,
    "at_least": _ORDERED,
    "at_most": _ORDERED,
    "more_than": _ORDERED,
    "less_than": _ORDERED,
    "is_set": _EVERY,
    "is_not_set": _EVERY,
    "contains": frozenset({"text", "list", "any"}),
    "before": _DAYS,
    "after": _DAYS,
    "within_last_days": _DAYS,
    "within_next_days": _DAYS,
}


def value_for(op: str, kind: str, raw: Mapping[str, object]) -> object:
    """The value of a condition, checked for its operator and type; raises InputError."""
    if op in ("is_set", "is_not_set"):
        if raw.get("value") is not None:
            raise InputError("must be left out: the operator needs none.")
        return None
    if raw.get("value") is None:
        raise InputError("is missing.")
    return _CHECKS.get(op, _single)(raw["value"], kind)


def _single(value: object, kind: str) -> object:
    if isinstance(value, str) and not value.strip():
        raise InputError("must not be empty. Use is_set or is_not_set.")
    if kind == "any":
        if not isinstance(value, str | int | float) or not inputs.is_clean_json(value):
            raise InputError("must be text, a number, true or false.")
        return value
    if kind == "number":
        return number(value, kind)
    if kind == "boolean":
        if not isinstance(value, bool):
            raise InputError("must be true or false.")
        return value
    return inputs.text(value, limit=1_000)


def number(value: object, kind: str = "number") -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not inputs.is_clean_json(value):
        raise InputError("must be a number.")
    if abs(Decimal(str(value))) > Decimal(10) ** 30:
        raise InputError("is too large.")
    return value


def _several(value: object, kind: str) -> tuple[object, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise InputError("must be a list with at least one entry.")
    if len(value) > MAX_LISTED:
        raise InputError(f"has more than {MAX_LISTED} entries.")
    return tuple(_single(item, kind) for item in value)


def _days(value: object, kind: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_DAYS:
        raise InputError(f"must be a whole number of days from 0 to {MAX_DAYS}.")
    return value


def _moment(value: object, kind: str) -> str:
    """A day of the tenant's calendar, or for times also a moment with its zone; kept as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            date.fromisoformat(value)
        except ValueError:
            raise InputError("is a day that does not exist.") from None
        if "1900" <= value < "9990":
            return value
    elif kind == "datetime" and isinstance(value, str) and len(value) > 10:
        inputs.moment(value)
        return value
    ending = " or a time with its zone" if kind == "datetime" else ""
    raise InputError(f"must be a day such as 2026-03-01{ending}.")


_CHECKS: dict[str, Callable[[object, str], object]] = {
    "in": _several,
    "not_in": _several,
    "at_least": number,
    "at_most": number,
    "more_than": number,
    "less_than": number,
    "before": _moment,
    "after": _moment,
    "within_last_days": _days,
    "within_next_days": _days,
}
