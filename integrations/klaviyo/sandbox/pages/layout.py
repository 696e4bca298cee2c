"""The shell of every page: one style sheet inline, escaped text, tables that become cards on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from integrations.klaviyo.sandbox.wire import Answer

_SECTIONS = ("profiles", "lists", "events", "jobs", "flows", "requests", "apps")

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'"
_STYLE = Path(__file__).with_name("style.css").read_text()


class Html(str):
    """Text that is markup already; everything else is escaped."""

    __slots__ = ()


def text(value: Any) -> str:
    """Any value as safe markup."""
    if isinstance(value, Html):
        return value
    return escape("–" if value is None or value == "" else str(value))


def link(path: str, label: Any) -> Html:
    return Html(f'<a href="{escape(path)}">{text(label)}</a>')


def path_of(account: str, *parts: str) -> str:
    return "/".join(["/accounts", quote(account), *(quote(part, safe="") for part in parts)])


def when(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y, %H:%M:%S UTC")


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], empty: str = "Nothing yet.") -> Html:
    """A card with a table; a heading that ends in `#` is a column of numbers."""
    names = [(heading.rstrip("#"), ' class="n"' if heading.endswith("#") else "") for heading in headings]
    lines = [
        "<tr>"
        + "".join(
            f'<td{css} data-label="{escape(name)}">{text(cell)}</td>'
            for (name, css), cell in zip(names, row, strict=True)
        )
        + "</tr>"
        for row in rows
    ]
    if not lines:
        return Html(f'<div class="card empty">{escape(empty)}</div>')
    head = "".join(f'<th{css} scope="col">{escape(name)}</th>' for name, css in names)
    body = "".join(lines)
    return Html(f'<div class="card"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def facts(rows: Iterable[tuple[str, Any]], empty: str = "None.") -> Html:
    """A card of names and values."""
    lines = [f'<tr><th scope="row">{text(name)}</th><td>{text(value)}</td></tr>' for name, value in rows]
    if not lines:
        return Html(f'<div class="card empty">{escape(empty)}</div>')
    return Html(f'<div class="card"><table class="facts"><tbody>{"".join(lines)}</tbody></table></div>')


def tiles(entries: Iterable[tuple[str, int, str]]) -> Html:
    """Tiles of (label, number, link)."""
    made = (
        f'<a class="tile" href="{escape(path)}"><b>{number:,}</b><span>{text(label)}</span></a>'
        for label, number, path in entries
    )
    return Html(f'<div class="tiles">{"".join(made)}</div>')


def pager(path: str, query: str, offset: int, size: int, has_more: bool) -> Html:
    """Links to the pages before and after."""
    suffix = f"&q={quote(query)}" if query else ""
    before = link(f"{path}?offset={max(0, offset - size)}{suffix}", "← Newer") if offset else ""
    after = link(f"{path}?offset={offset + size}{suffix}", "Older →") if has_more else ""
    return Html(f'<div class="pager"><span>{before}</span><span>{after}</span></div>')


def page(title: str, *parts: str, account: str = "", section: str = "", status: int = 200) -> Answer:
    """A whole page."""
    body = _nav(account, section) + f"<h1>{escape(title)}</h1>" + "".join(parts)
    document = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)} · Practice Klaviyo</title><style>{_STYLE}</style></head><body>"
        '<div class="band">Practice Klaviyo: nothing leaves this machine</div>'
        f"<main>{body}</main></body></html>"
    )
    return Answer(status, document.encode(), "text/html; charset=utf-8", {"Content-Security-Policy": _POLICY})


def _nav(account: str, section: str) -> str:
    if not account:
        return ""
    entries = [("/", "All accounts", False), (path_of(account), account, section == "")]
    entries += [(path_of(account, name), name.capitalize(), name == section) for name in _SECTIONS]
    made = "".join(
        f'<a href="{escape(path)}"{" aria-current=page" if current else ""}>{escape(label)}</a>'
        for path, label, current in entries
    )
    return f"<nav>{made}</nav>"
