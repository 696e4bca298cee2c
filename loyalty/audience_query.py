"""Audience rules as SQL over the catalogue of fields. loyalty/rules/explaining.py answers the same for one.

Every condition is wrapped to be true or false, never null, so that `not_equals`, `not_in` and `none`
include the members of whom nothing is known.
"""

import json
from collections.abc import Callable
from decimal import Decimal

from django.db.models import Expression, Q, QuerySet, TextField, Value

from loyalty import fields
from loyalty.models import Member
from loyalty.rules import audience_rules, windows
from loyalty.rules.audience_rules import Condition, Rule
from loyalty.rules.windows import Calendar
from loyalty.sql_pieces import Piece
from portal.tenancy.models import Tenant


def parse(raw: object) -> Rule:
    """The rule tree over our fields; raises RuleError with every problem."""
    return audience_rules.parse(raw, lambda key: fields.get(key).type)


def matching(tenant: Tenant, rule: Rule, calendar: Calendar) -> QuerySet[Member]:
    """The tenant's members who fulfil the rule."""
    return Member.objects.for_tenant(tenant).filter(compiled(rule, calendar))


def compiled(rule: Rule, calendar: Calendar) -> Q:
    """The rule as a filter on Member."""
    if isinstance(rule, Condition):
        return _condition(rule, calendar)
    parts = [compiled(part, calendar) for part in rule.parts]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole & part if rule.kind == "all" else whole | part
    return ~whole if rule.kind == "none" else whole


_NEGATIVE = {"not_equals": "equals", "not_in": "in", "is_not_set": "is_set"}
_COMPARE = {"at_least": ">=", "at_most": "<=", "more_than": ">", "less_than": "<"}
_LISTED = (
    "ARRAY(SELECT jsonb_array_elements("
    "CASE jsonb_typeof({0}) WHEN 'array' THEN {0} ELSE jsonb_build_array({0}) END))"
)
# What stands for “is set” of each type; the others are set where they are not null.
_IS_SET = {
    "list": "cardinality({0}) > 0",
    "any": "{0} IS NOT NULL AND {0} NOT IN ('null', '\"\"', '[]')",
}
_TEXT_OF_ANY = "CASE jsonb_typeof({0}) WHEN 'string' THEN {0} #>> '{{}}' END"


def _condition(rule: Condition, calendar: Calendar) -> Q:
    op = _NEGATIVE.get(rule.op, rule.op)
    value = fields.get(rule.field).expression()
    if op == "is_set":
        piece = Piece(_IS_SET.get(rule.type, "{0} IS NOT NULL"), value)
    elif op in _COMPARE:
        piece = _compared(rule, value)
    elif op in ("equals", "in", "contains"):
        told = rule.value if op == "in" else (rule.value,)
        piece = _ALIKE[rule.type](value, tuple(told), op)  # type: ignore[arg-type]  # `in` holds a tuple
    else:
        piece = _in_time(rule, value, calendar)
    holds = Q(Piece("({0}) IS TRUE", piece))
    return ~holds if rule.op in _NEGATIVE else holds


def _compared(rule: Condition, value: Expression) -> Piece:
    number = Value(Decimal(str(rule.value)))
    if rule.type == "any":
        pattern = "CASE jsonb_typeof({0}) WHEN 'number' THEN ({0} #>> '{{}}')::numeric {op} {1} END"
        return Piece(pattern.replace("{op}", _COMPARE[rule.op]), value, number)
    return Piece(f"{{0}} {_COMPARE[rule.op]} {{1}}", value, number)


def _text(value: Expression, told: tuple[object, ...], op: str) -> Piece:
    if op == "contains":
        return Piece("strpos({0}, {1}) > 0", value, _literal(told[0]))
    return Piece("{0} = ANY({1}::text[])", value, Value(list(told)))


def _number(value: Expression, told: tuple[object, ...], op: str) -> Piece:
    return Piece("{0} = ANY({1}::numeric[])", value, Value([Decimal(str(number)) for number in told]))


def _boolean(value: Expression, told: tuple[object, ...], op: str) -> Piece:
    return Piece("{0} = {1}", value, Value(told[0]))


def _list(value: Expression, told: tuple[object, ...], op: str) -> Piece:
    return Piece("{0}::text[] && {1}::text[]", value, Value(list(told)))


def _any(value: Expression, told: tuple[object, ...], op: str) -> Piece:
    listed = Value([json.dumps(item) for item in told])
    if op == "equals":
        return Piece("{0} = ANY({1}::jsonb[])", value, listed)
    if op == "in":
        return Piece(f"{_LISTED} && {{1}}::jsonb[]", value, listed)
    text = f"WHEN 'string' THEN strpos({_TEXT_OF_ANY}, {{2}}) > 0" if isinstance(told[0], str) else ""
    pattern = f"CASE jsonb_typeof({{0}}) WHEN 'array' THEN {_LISTED} && {{1}}::jsonb[] {text} END"
    return Piece(pattern, value, listed, _literal(told[0]))


_ALIKE: dict[str, Callable[[Expression, tuple[object, ...], str], Piece]] = {
    "text": _text,
    "date": _text,
    "number": _number,
    "boolean": _boolean,
    "list": _list,
    "any": _any,
}


def _in_time(rule: Condition, value: Expression, calendar: Calendar) -> Piece:
    if rule.type == "datetime":
        span = windows.moments(rule.op, rule.value, calendar)
        return _between(value, span.start, span.end, end_is_in=False)
    first, last = windows.days(rule.op, rule.value, calendar)
    if rule.type == "date" and first and last:
        return Piece("right({0}, 5) = ANY({1}::text[])", value, Value(list(windows.yearly(first, last))))
    text = Piece(_TEXT_OF_ANY, value, output_field=TextField()) if rule.type == "any" else value
    day = Piece('left({0}, 10) COLLATE "C"', text, output_field=TextField())
    is_day = Piece("{0} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$'", day)
    bounds = _between(day, first and first.isoformat(), last and last.isoformat(), end_is_in=True)
    return Piece("{0} AND {1}", is_day, bounds)


def _between(value: Expression, start: object, end: object, *, end_is_in: bool) -> Piece:
    sides = []
    if start is not None:
        sides.append(Piece("{0} >= {1}", value, Value(start)))
    if end is not None:
        sides.append(Piece("{0} <= {1}" if end_is_in else "{0} < {1}", value, Value(end)))
    return sides[0] if len(sides) == 1 else Piece("{0} AND {1}", *sides)


def _literal(text: object) -> Value:
    return Value(str(text), output_field=TextField())
