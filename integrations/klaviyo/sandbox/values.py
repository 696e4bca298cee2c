"""Checks and forms of single values: addresses, phone numbers, times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

EMAIL_MAX = 100
EXTERNAL_ID_MAX = 255

_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")


def is_email(value: str) -> bool:
    if len(value) > EMAIL_MAX or ".." in value:
        return False
    return _EMAIL.fullmatch(value) is not None and not value.startswith(".") and ".@" not in value


def is_phone(value: str) -> bool:
    """E.164, the only form Klaviyo takes."""
    return _PHONE.fullmatch(value) is not None


def stamp(seconds: float | None) -> str | None:
    """An instant as Klaviyo writes it: whole seconds with an offset."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def read_stamp(text: str) -> float | None:
    """Seconds since 1970 of an RFC 3339 instant; without an offset it is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
