"""PURE: JSON without its loopholes, and a look at what a database cannot store."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 32
MAX_DIGITS = 100
# Only these escapes can bring in what PostgreSQL's text does not hold: NUL and lone surrogates.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class Unreadable(ValueError):
    """The text is no JSON that can be relied on; the message says why, to be put after a colon."""


@dataclass(frozen=True)
class Parsed:
    value: Any
    is_suspect: bool  # some text in it may not be storable: ask `unstorable`


def parse(body: bytes) -> Parsed:
    """Read UTF-8 JSON without NaN or Infinity, keys that stand twice, or endless numbers.

    Raises Unreadable, whatever the bytes are.
    """
    if not body:
        raise Unreadable("it is empty")
    try:
        text = body.decode()
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise Unreadable("it is nested too deeply") from error
    return Parsed(value, _SUSPECT.search(text) is not None)


def unstorable(value: object, *, look_at_text: bool) -> str | None:
    """Why this value cannot be stored, in words that follow its name; nothing if it can."""
    if _is_deeper_than(value, MAX_DEPTH):
        return f"is nested deeper than {MAX_DEPTH} levels"
    if not look_at_text:
        return None
    text = "\n".join(_texts(value))
    if "\0" in text:
        return "holds the character NUL, which cannot be stored"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no character"
    return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Unreadable(f"the key “{ascii(twice)[1:-1][:80]}” stands twice in one object")
    return found


def _constant(name: str) -> None:
    raise Unreadable(f"{name} is not a JSON number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Unreadable(f"the number {text[:40]} is too large")
    return number


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise Unreadable(f"a number has more than {MAX_DIGITS} digits")
    return int(text)


def _is_deeper_than(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    if levels == 0:
        return True
    return any(_is_deeper_than(inner, levels - 1) for inner in value if isinstance(inner, dict | list))


def _texts(value: object) -> list[str]:
    """Every text in a value, keys included."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (key, *_texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return []
