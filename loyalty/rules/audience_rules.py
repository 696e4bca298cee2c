"""Audience rules: trees of conditions on members' fields, read and checked.

    {"all": [{"field": "tier_slug", "op": "equals", "value": "gold"}, {"none": [ … ]}]}

A condition is true or false, never unknown: a member without a value fulfils `not_equals`, `not_in` and
`is_not_set`, and no other operator. Text is compared letter by letter, capitals included. Days are those of
the tenant's calendar.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from loyalty.rules.condition_values import OPERATORS, TYPE_WORDS, value_for
from loyalty.rules.inputs import InputError

MAX_DEPTH = 8
MAX_CONDITIONS = 100
GROUPS = ("all", "any", "none")
# An audience that depends on audiences would depend on the order in which they are refreshed.
FORBIDDEN_FIELDS = {"audiences": "an audience cannot depend on audiences."}


@dataclass(frozen=True)
class Condition:
    """One comparison. `type` is the field's; `value` has passed the check of type and operator."""

    field: str
    op: str
    type: str
    value: object = None


@dataclass(frozen=True)
class Group:
    kind: Literal["all", "any", "none"]
    parts: "tuple[Rule, ...]"


Rule = Condition | Group
# The type of a field; raises LookupError with a sentence where there is none of that name.
TypeOf = Callable[[str], str]


class RuleError(ValueError):
    """The rule cannot be used; `problems` has a sentence for each bad node, beginning with its path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


def parse(raw: object, type_of: TypeOf) -> Rule:
    """The rule tree; raises RuleError with everything that is wrong with it."""
    reader = _Reader(type_of)
    rule = reader.read(raw, "rule", 1)
    if reader.conditions > MAX_CONDITIONS:
        reader.problems.append(f"rule: has {reader.conditions} conditions; {MAX_CONDITIONS} is the most.")
    if reader.problems or rule is None:
        raise RuleError(reader.problems)
    return rule


def fields_of(rule: Rule) -> set[str]:
    """The keys of all fields that the rule reads."""
    if isinstance(rule, Condition):
        return {rule.field}
    return {key for part in rule.parts for key in fields_of(part)}


class _Reader:
    def __init__(self, type_of: TypeOf) -> None:
        self.type_of = type_of
        self.problems: list[str] = []
        self.conditions = 0

    def read(self, raw: object, path: str, depth: int) -> Rule | None:
        if not isinstance(raw, Mapping):
            return self._refuse(path, "must be an object: a condition, or a group named all, any or none.")
        if "field" in raw or "op" in raw:
            return self._condition(raw, path)
        return self._group(raw, path, depth)

    def _group(self, raw: Mapping[str, object], path: str, depth: int) -> Rule | None:
        if len(raw) != 1 or next(iter(raw)) not in GROUPS:
            return self._refuse(path, "must have exactly one of all, any, none; or field and op.")
        kind, listed = next(iter(raw.items()))
        path = f"{path}.{kind}"
        if not isinstance(listed, list | tuple) or not listed:
            return self._refuse(path, "must be a list with at least one condition.")
        if depth > MAX_DEPTH:
            return self._refuse(path, f"is nested deeper than {MAX_DEPTH} groups.")
        parts = [self.read(part, f"{path}[{place}]", depth + 1) for place, part in enumerate(listed)]
        return Group(kind, tuple(part for part in parts if part is not None))  # type: ignore[arg-type]

    def _condition(self, raw: Mapping[str, object], path: str) -> Rule | None:
        self.conditions += 1
        unknown = sorted(map(str, raw.keys() - {"field", "op", "value"}))
        if unknown:
            return self._refuse(path, f"“{unknown[0]}” means nothing here; use field, op and value.")
        key, op = raw.get("field"), raw.get("op")
        if not isinstance(key, str) or not key:
            return self._refuse(path, "field is missing.")
        if key in FORBIDDEN_FIELDS:
            return self._refuse(path, FORBIDDEN_FIELDS[key])
        try:
            kind = str(self.type_of(key))
        except LookupError as error:
            return self._refuse(path, str(error.args[0]))
        if not isinstance(op, str) or op not in OPERATORS:
            return self._refuse(path, f"op must be one of {', '.join(OPERATORS)}.")
        if kind not in OPERATORS[op]:
            return self._refuse(path, f"{op} does not fit {key}, which is {TYPE_WORDS[kind]}.")
        try:
            return Condition(key, op, kind, value_for(op, kind, raw))
        except InputError as error:
            return self._refuse(path, f"value {error}")

    def _refuse(self, path: str, sentence: str) -> Rule | None:
        self.problems.append(f"{path}: {sentence}")
        return None
