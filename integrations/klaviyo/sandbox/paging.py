"""Cursor paging by key, forwards and backwards: stable while rows come and go, as quick on page 900 as on
page 1.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from integrations.klaviyo.sandbox.errors import invalid
from integrations.klaviyo.sandbox.store.database import Database, Row
from integrations.klaviyo.sandbox.wire import Request


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page with the cursors of its neighbours."""

    rows: list[Row]
    next: str | None = None
    prev: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What to page over, and the two columns that order it: `key`, then the unique `tie`."""

    columns: str
    tables: str
    where: str
    arguments: Sequence[Any]
    key: str
    tie: str
    is_descending: bool = False


def read_page(db: Database, source: Source, size: int, cursor: str | None) -> Page:
    """One page of at most `size` rows."""
    position = _read_cursor(cursor, source) if cursor else None
    is_backwards = position is not None and position[0] == "prev"
    direction, sign = ("DESC", "<") if source.is_descending != is_backwards else ("ASC", ">")
    where, arguments = source.where, list(source.arguments)
    if position is not None:
        where += f" AND ({source.key}, {source.tie}) {sign} (?, ?)"
        arguments += position[1:]
    rows = db.rows(
        f"SELECT {source.columns}, {source.key} AS page_key, {source.tie} AS page_tie FROM {source.tables}"
        f" WHERE {where} ORDER BY {source.key} {direction}, {source.tie} {direction} LIMIT ?",
        (*arguments, size + 1),
    )
    has_more, rows = len(rows) > size, rows[:size]
    if is_backwards:
        rows.reverse()
    if not rows:
        return Page([])
    has_next = is_backwards or has_more
    has_prev = has_more if is_backwards else position is not None
    return Page(
        rows,
        _write_cursor("next", rows[-1], source) if has_next else None,
        _write_cursor("prev", rows[0], source) if has_prev else None,
    )


def links(request: Request, page: Page) -> dict[str, str | None]:
    """`self`, `next` and `prev` of a collection, full URLs as Klaviyo writes them."""
    return {"self": request.url, "next": _turned(request, page.next), "prev": _turned(request, page.prev)}


def _turned(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    kept = [(name, value) for name, value in request.parameters if name != "page[cursor]"]
    return f"{request.origin}{request.path}?{urlencode([*kept, ('page[cursor]', cursor)])}"


def _write_cursor(turn: str, row: Row, source: Source) -> str:
    text = json.dumps([turn, row["page_key"], row["page_tie"], _name(source)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, source: Source) -> list[Any]:
    try:
        turn, key, tie, name = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise invalid("Invalid page cursor.", parameter="page[cursor]") from None
    if name != _name(source) or turn not in ("next", "prev"):
        raise invalid("Invalid page cursor.", parameter="page[cursor]")
    return [turn, key, tie]


def _name(source: Source) -> str:
    """A cursor belongs to one order of one collection."""
    return f"{source.tables}{' desc' if source.is_descending else ''} {source.key}"
