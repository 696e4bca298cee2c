"""Klaviyo's filter language: operator(field,value), joined by commas or and(...); there is no OR."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from integrations.klaviyo.sandbox.errors import ApiError, invalid
from integrations.klaviyo.sandbox.query_table import Rule
from integrations.klaviyo.sandbox.values import read_stamp


class Condition(NamedTuple):
    """One comparison; the value is a string, a number (also for instants), a boolean, None, or a list of
    them.
    """

    operator: str
    field: str
    value: Any


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_BARE = re.compile(r"[^,()\[\]\s\"']+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_WORDS = {"true": True, "false": False, "null": None}


def parse(text: str, rules: dict[str, Rule]) -> list[Condition]:
    """The conditions of a filter, each allowed by the endpoint's rules; 400 otherwise."""
    reader = _Reader(text)
    conditions = reader.conditions()
    if reader.rest():
        raise bad_filter(f"unexpected text at position {reader.position}")
    return [_checked(condition, rules) for condition in conditions]


def bad_filter(reason: str) -> ApiError:
    return invalid(f"Invalid filter provided: {reason}.", parameter="filter")


def _checked(condition: Condition, rules: dict[str, Rule]) -> Condition:
    rule = rules.get(condition.field)
    if rule is None:
        raise bad_filter(f"'{condition.field}' is not a filterable field")
    shape = (
        "none" if condition.operator == "has" else "list" if isinstance(condition.value, list) else "single"
    )
    if f"{condition.operator}:{shape}" not in rule.operators:
        raise bad_filter(f"'{condition.operator}' is not allowed on '{condition.field}' with this value")
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    read = [_of_kind(value, rule, condition.field) for value in values]
    return condition._replace(value=read if isinstance(condition.value, list) else read[0])


def _of_kind(value: Any, rule: Rule, field: str) -> Any:
    if rule.kind == "datetime":
        moment = read_stamp(value) if isinstance(value, str) else None
        if moment is None:
            raise bad_filter(f"'{field}' takes an RFC 3339 datetime")
        return moment
    kinds: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}
    if rule.kind in kinds and not isinstance(value, kinds[rule.kind]):
        raise bad_filter(f"'{field}' takes a {rule.kind}")
    if rule.values and value not in rule.values:
        raise bad_filter(f"'{field}' takes one of {', '.join(rule.values)}")
    return value


class _Reader:
    """A left-to-right reader over one filter text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def rest(self) -> str:
        self._blanks()
        return self.text[self.position :]

    def conditions(self) -> list[Condition]:
        found = self._condition()
        while self._accept(","):
            found += self._condition()
        return found

    def _condition(self) -> list[Condition]:
        operator = self._match(_NAME, "an operator")
        self._expect("(")
        if operator == "and":
            inner = self.conditions()
            self._expect(")")
            return inner
        field = self._match(_NAME, "a field")
        value: Any = None
        if operator != "has":
            self._expect(",")
            value = self._value()
        self._expect(")")
        return [Condition(operator, field, value)]

    def _value(self) -> Any:
        if self._accept("["):
            items: list[Any] = []
            if self._accept("]"):
                return items
            items.append(self._scalar())
            while self._accept(","):
                items.append(self._scalar())
            self._expect("]")
            return items
        return self._scalar()

    def _scalar(self) -> Any:
        self._blanks()
        quote = self.text[self.position : self.position + 1]
        if quote in ('"', "'"):
            return self._quoted(quote)
        word = self._match(_BARE, "a value")
        if word in _WORDS:
            return _WORDS[word]
        if _NUMBER.fullmatch(word):
            return float(word) if "." in word else int(word)
        if read_stamp(word) is not None:
            return word
        raise bad_filter(f"'{word}' must be quoted")

    def _quoted(self, quote: str) -> str:
        chars: list[str] = []
        index = self.position + 1
        while index < len(self.text):
            char = self.text[index]
            if char == quote:
                self.position = index + 1
                return "".join(chars)
            if char == "\\" and index + 1 < len(self.text):
                index += 1
                char = self.text[index]
            chars.append(char)
            index += 1
        raise bad_filter("a quote is not closed")

    def _match(self, pattern: re.Pattern[str], what: str) -> str:
        self._blanks()
        match = pattern.match(self.text, self.position)
        if match is None:
            raise bad_filter(f"expected {what} at position {self.position}")
        self.position = match.end()
        return match.group()

    def _accept(self, char: str) -> bool:
        self._blanks()
        if self.text[self.position : self.position + 1] != char:
            return False
        self.position += 1
        return True

    def _expect(self, char: str) -> None:
        if not self._accept(char):
            raise bad_filter(f"expected '{char}' at position {self.position}")

    def _blanks(self) -> None:
        while self.position < len(self.text) and self.text[self.position] == " ":
            self.position += 1
