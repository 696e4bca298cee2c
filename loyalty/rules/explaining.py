"""Whether one member fulfils a rule, and why: the same answers as the SQL, for one person.

`values` are those of loyalty.fields.document: JSON values by field key, null where nothing is known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from re import fullmatch

from loyalty.rules import inputs, windows
from loyalty.rules.audience_rules import Condition, Rule
from loyalty.rules.windows import Calendar


@dataclass(frozen=True)
class Explanation:
    """Whether a node holds: a condition with the member's value, a group with its parts explained."""

    holds: bool
    rule: Rule
    value: object = None
    parts: tuple["Explanation", ...] = ()


def explain(rule: Rule, values: Mapping[str, object], calendar: Calendar) -> Explanation:
    if isinstance(rule, Condition):
        value = values.get(rule.field)
        return Explanation(_holds(rule, value, calendar), rule, value)
    parts = tuple(explain(part, values, calendar) for part in rule.parts)
    return Explanation(_GROUPS[rule.kind](part.holds for part in parts), rule, parts=parts)


_GROUPS: dict[str, Callable[..., bool]] = {"all": all, "any": any, "none": lambda parts: not any(parts)}


def _holds(rule: Condition, value: object, calendar: Calendar) -> bool:
    if rule.op in _NEGATIVE:
        return not _holds(Condition(rule.field, _NEGATIVE[rule.op], rule.type, rule.value), value, calendar)
    if value is None or value == "" or value == []:
        return False
    if rule.op in _TESTS:
        return _TESTS[rule.op](rule, value)
    return _in_time(rule, value, calendar)


_NEGATIVE = {"not_equals": "equals", "not_in": "in", "is_not_set": "is_set"}


def _same(told: object, value: object) -> bool:
    """As jsonb compares: numbers by their worth, and true is not 1."""
    if isinstance(told, bool) or isinstance(value, bool):
        return told is value
    if _is_number(told) and _is_number(value):
        return Decimal(str(told)) == Decimal(str(value))
    return isinstance(told, str) and told == value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compare(rule: Condition, value: object) -> bool:
    if not _is_number(value):
        return False
    told, had = Decimal(str(rule.value)), Decimal(str(value))
    return {
        "at_least": had >= told, "at_most": had <= told, "more_than": had > told, "less_than": had < told
    }[rule.op]  # fmt: skip


def _among(rule: Condition, value: object) -> bool:
    listed: tuple[object, ...] = rule.value  # type: ignore[assignment]  # the parser made it one
    had = value if isinstance(value, list) else [value]
    return any(_same(told, item) for told in listed for item in had)


def _contains(rule: Condition, value: object) -> bool:
    if isinstance(value, list):
        return any(_same(rule.value, item) for item in value)
    return isinstance(value, str) and isinstance(rule.value, str) and rule.value in value


_TESTS: dict[str, Callable[[Condition, object], bool]] = {
    "is_set": lambda rule, value: True,
    "equals": lambda rule, value: _same(rule.value, value),
    "in": _among,
    "contains": _contains,
    "at_least": _compare,
    "at_most": _compare,
    "more_than": _compare,
    "less_than": _compare,
}


def _in_time(rule: Condition, value: object, calendar: Calendar) -> bool:
    if not isinstance(value, str):
        return False
    if rule.type == "datetime":
        return windows.moments(rule.op, rule.value, calendar).holds(inputs.moment(value))
    first, last = windows.days(rule.op, rule.value, calendar)
    if rule.type == "date" and first and last:
        return value[-5:] in windows.yearly(first, last)
    day = value[:10]
    if not fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
        return False
    return (first is None or day >= first.isoformat()) and (last is None or day <= last.isoformat())
