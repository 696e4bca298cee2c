"""The query string of one call, checked against what its endpoint takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from integrations.klaviyo.sandbox.errors import invalid
from integrations.klaviyo.sandbox.filters import Condition, bad_filter, parse
from integrations.klaviyo.sandbox.query_table import QUERIES, QueryRules

_BRACKET = re.compile(r"(fields|additional-fields|page)\[([a-z-]+)\]")


@dataclass(slots=True)
class Query:
    """Sparse fields and additional fields by resource type, includes, sort, filter and page."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    additional: dict[str, list[str]] = field(default_factory=dict)
    include: list[str] = field(default_factory=list)
    sort: str = ""
    conditions: list[Condition] = field(default_factory=list)
    size: int = 0
    cursor: str | None = None

    def adds(self, kind: str, name: str) -> bool:
        return name in self.additional.get(kind, ())

    @property
    def lowered(self) -> list[str]:
        """The parameters that cost a second, lower limit."""
        names = [
            f"additional-fields[{kind}]={name}" for kind, all_ in self.additional.items() for name in all_
        ]
        return names + [f"include={name}" for name in self.include]


def read_query(endpoint: str, parameters: list[tuple[str, str]]) -> Query:
    """Read every parameter; 400 for one that the endpoint does not take."""
    rules = QUERIES.get(endpoint, QueryRules())
    query = Query(size=rules.page[0] if rules.page else 0)
    for name, value in parameters:
        _read(query, rules, name, value)
    return query


def _read(query: Query, rules: QueryRules, name: str, value: str) -> None:
    bracket = _BRACKET.fullmatch(name)
    if bracket is not None:
        _READ_BRACKET[bracket[1]](query, rules, bracket[2], name, value)
        return
    if name == "include" and rules.include:
        query.include = _listed(value, rules.include, name)
        return
    if name == "sort" and rules.sort:
        if value not in rules.sort:
            raise invalid(f"'{value}' is not an allowed sort.", parameter="sort")
        query.sort = value
        return
    if name == "filter":
        if not rules.filters:
            raise bad_filter("this endpoint takes no filter")
        query.conditions += parse(value, rules.filters)
        return
    raise invalid(f"'{name}' is not a valid query parameter for this endpoint.", parameter=name)


def _fields(query: Query, rules: QueryRules, kind: str, name: str, value: str) -> None:
    query.fields[kind] = _listed(value, rules.fields.get(kind, ()), name)


def _additional(query: Query, rules: QueryRules, kind: str, name: str, value: str) -> None:
    query.additional[kind] = _listed(value, rules.additional.get(kind, ()), name)


def _page(query: Query, rules: QueryRules, kind: str, name: str, value: str) -> None:
    if rules.page is None or kind not in ("size", "cursor"):
        raise invalid(f"'{name}' is not a valid query parameter for this endpoint.", parameter=name)
    if kind == "cursor":
        query.cursor = value
        return
    maximum = rules.page[1]
    if not value.isdecimal() or not 1 <= int(value) <= maximum:
        raise invalid(f"Page size must be an integer between 1 and {maximum}.", parameter=name)
    query.size = int(value)


_READ_BRACKET = {"fields": _fields, "additional-fields": _additional, "page": _page}


def _listed(value: str, allowed: tuple[str, ...], name: str) -> list[str]:
    items = [item for item in value.split(",") if item]
    for item in items:
        if item not in allowed:
            raise invalid(f"'{item}' is not an allowed value for '{name}'.", parameter=name)
    return items
