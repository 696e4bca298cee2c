"""The value of a condition as somebody types it, and back.

`kind` is what the form asks for: the type of the field, for an attribute that of its newest values. What
cannot be read stays the text it is, so that the parser of rules says what is wrong with it.
"""

import csv
import io
import json
import re
from collections.abc import Iterable

_WHOLE = re.compile(r"[+-]?\d{1,30}")
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_PLAIN = ("text", "list", "date", "datetime")
MANY = ("in", "not_in")
DAYS = ("within_last_days", "within_next_days")
NONE = ("is_set", "is_not_set")
NUMERIC = ("at_least", "at_most", "more_than", "less_than")


def read(op: str, kind: str, text: str) -> object:
    """The value that was typed: a list for operators that take one, else one value; None where nothing is."""
    if op in NONE or not text.strip():
        return None
    if op in MANY:
        return [_one(kind, item) for item in split(text)]
    if op in DAYS:
        return int(text) if _WHOLE.fullmatch(text.strip()) else text.strip()
    return _one("number" if op in NUMERIC else kind, text)


def write(op: str, kind: str, value: object) -> str:
    """What to show for a value, so that `read` gives it back."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return join(_shown(kind, item) for item in value)
    return _shown("number" if op in NUMERIC or op in DAYS else kind, value)


def split(text: str) -> list[str]:
    """Entries with commas or line ends between; one that holds a comma stands in quotation marks."""
    rows = csv.reader(io.StringIO(text.replace("\0", "\ufffd")), skipinitialspace=True)
    try:
        return [item.strip() for row in rows for item in row if item.strip()]
    except csv.Error:  # an entry of over a hundred thousand characters: the parser says so
        return [text]


def join(items: Iterable[str]) -> str:
    """The entries as `split` reads them."""
    return ", ".join(
        f'"{item.replace(DOUBLE, DOUBLE * 2)}"' if _NEEDS.search(item) else item for item in items
    )


DOUBLE = '"'
_NEEDS = re.compile(r'[",\n\r]|^\s|\s$')


def _one(kind: str, text: str) -> object:
    text = text.strip()
    if kind in _PLAIN:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if kind == "number":
        return _one("any", text.replace(",", "")) if _THOUSANDS.fullmatch(text) else text
    if text in ("true", "false"):
        return text == "true"
    return _quoted(text) if text.startswith(DOUBLE) else text


def _quoted(text: str) -> object:
    """ "5" in quotation marks is the text, not the number."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(kind: str, value: object) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    return text if kind in _PLAIN or _one(kind, text) == text else json.dumps(text, ensure_ascii=False)
