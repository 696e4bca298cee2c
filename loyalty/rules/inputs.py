"""Checks that every input shares: text, moments, keys. A failed one raises InputError with a sentence."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


class InputError(ValueError):
    """The value cannot be taken; the message says what is wrong and what to give instead."""


def text(value: object, *, limit: int, numbers: bool = False) -> str:
    """Trimmed text within `limit`. `numbers` lets whole numbers pass, as ids often come unquoted."""
    if numbers and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InputError("must be text.")
    value = value.strip()
    if _CONTROL.search(value):
        raise InputError("holds a control character, which cannot be stored. Remove it.")
    if len(value) > limit:
        raise InputError(f"is longer than {limit} characters.")
    return value


def moment(value: object) -> datetime:
    """An RFC 3339 time with its zone, in UTC."""
    if isinstance(value, str) and _MOMENT.fullmatch(value.strip()):
        whole = re.sub(r"\.(\d{6})\d+", r".\1", value.strip().upper())
        try:
            given = datetime.fromisoformat(whole).astimezone(UTC)
        except (ValueError, OverflowError):
            given = datetime.min.replace(tzinfo=UTC)
        if given.year >= 1900:
            return given
    raise InputError("must be a time with its zone, such as 2026-03-01T09:30:00Z.")


def unknown_keys(raw: Mapping[str, object], known: Collection[str], *, inside: str = "") -> list[str]:
    """One sentence for each key that nothing reads."""
    return [f"{inside}{key}: is not a field. Check its spelling." for key in raw if key not in known]


def is_clean_json(value: object) -> bool:
    """Whether PostgreSQL can keep the value as jsonb: no NUL, no lone surrogate, only finite numbers."""
    if isinstance(value, str):
        return "\x00" not in value and not re.search(r"[\ud800-\udfff]", value)
    if isinstance(value, float):
        return value == value and value not in (float("inf"), float("-inf"))
    if isinstance(value, Mapping):
        return all(isinstance(key, str) for key in value) and is_clean_json([*value, *value.values()])
    if isinstance(value, list | tuple):
        return all(is_clean_json(item) for item in value)
    return value is None or isinstance(value, int)
