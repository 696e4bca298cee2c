"""Klaviyo's filter language and query strings (pure).

https://developers.klaviyo.com/en/docs/filtering_ ; the official SDK's builder removes spaces from
values, so this is our own.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import quote


def equals(field: str, value: str) -> str:
    return f"equals({field},{_literal(value)})"


def any_of(field: str, values: Sequence[str]) -> str:
    """True for a resource whose `field` is one of `values`."""
    return f"any({field},[{','.join(_literal(value) for value in values)}])"


def query(*pairs: tuple[str, str]) -> str:
    """Encode a query string. Everything is percent-encoded: a bare `+` would arrive as a space."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def split(field: str, values: Iterable[str], *, most: int, most_bytes: int) -> list[list[str]]:
    """Cut `values` into groups whose encoded filter has at most `most` values and about `most_bytes` bytes.

    A value that is too long by itself gets a group of its own.
    """
    groups: list[list[str]] = []
    room = 0
    for value in values:
        size = len(quote(_literal(value), safe="")) + len("%2C")
        if not groups or size > room or len(groups[-1]) >= most:
            groups.append([])
            room = most_bytes - len(quote(f"any({field},[])", safe=""))
        groups[-1].append(value)
        room -= size
    return groups


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
