"""A member as told from outside: checked, normalised, and only what was given.

Omitted is not the same as empty: an omitted field stays as it is, null or "" clears it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TypeVar
from zoneinfo import available_timezones

from loyalty.rules import contacts, inputs
from loyalty.rules.consent_input import CHANNELS, CONSENT_STATUSES, ConsentInput, consents
from loyalty.rules.inputs import InputError

__all__ = [
    "CHANNELS",
    "CONSENT_STATUSES",
    "FIELDS",
    "STATES",
    "TEXT_LIMITS",
    "ConsentInput",
    "MemberInput",
    "birthday",
    "parse",
]

# Longest text per field; the same figures as the columns of Member (a test holds them together).
TEXT_LIMITS = {
    "first_name": 150,
    "last_name": 150,
    "locale": 20,
    "address1": 200,
    "address2": 200,
    "city": 120,
    "region": 120,
    "zip": 20,
    "country": 80,
    "timezone": 64,
    "referral_code": 60,
    "referral_url": 500,
}
STATES = ("candidate", "member", "disabled")
_OTHERS = "external_id email phone birthday state enrolled_at attributes tags consent"
FIELDS = frozenset(TEXT_LIMITS) | frozenset(_OTHERS.split())
MAX_TAGS = 200
T = TypeVar("T")
_BIRTHDAY = re.compile(r"(?:(?P<year>\d{4})-|--)?(?P<month>\d\d)-(?P<day>\d\d)")


@dataclass(frozen=True)
class MemberInput:
    """`values` holds columns of Member, only those that were given.

    Its `attributes` are merged by key, where null removes; None instead of a mapping clears them all.
    """

    external_id: str
    values: dict[str, object] = field(default_factory=dict)
    consents: tuple[ConsentInput, ...] = ()


Parsed = tuple[MemberInput | None, tuple[str, ...], tuple[str, ...]]


def parse(raw: object, *, default_region: str = "") -> Parsed:
    """The member, or None with the errors that refuse it; then warnings about what is kept but of no use.

    `default_region`: country (two letters) of phone numbers without a country code, where the member
    names none.
    """
    if not isinstance(raw, Mapping):
        return None, ("must be an object with external_id and fields.",), ()
    reading = _Reading(default_region)
    reading.errors.extend(inputs.unknown_keys(raw, FIELDS))
    external_id = reading.attempt("external_id", _external_id, raw.get("external_id")) or ""
    for key, limit in TEXT_LIMITS.items():
        if key in raw:
            reading.take(key, _text_of(key, limit), raw[key])
    for key, taker in _TAKERS.items():
        if key in raw:
            taker(reading, raw[key])
    given = reading.attempt("consent", consents, raw.get("consent")) or ()
    if reading.errors:
        return None, tuple(reading.errors), tuple(reading.warnings)
    return MemberInput(str(external_id), reading.values, tuple(given)), (), tuple(reading.warnings)


class _Reading:
    """Collects values, errors and warnings while the fields of one member are read."""

    def __init__(self, default_region: str) -> None:
        self.default_region = default_region
        self.values: dict[str, object] = {}
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def attempt(self, key: str, check: Callable[[object], T], value: object) -> T | None:
        try:
            return check(value)
        except InputError as error:
            self.errors.append(f"{key}: {error}")
            return None

    def take(self, key: str, check: Callable[[object], object], value: object) -> None:
        self.values[key] = self.attempt(key, check, value)


def _external_id(value: object) -> str:
    given = inputs.text("" if value is None else value, limit=255, numbers=True)
    if not given:
        raise InputError("is missing.")
    return given


def _text_of(key: str, limit: int) -> Callable[[object], str]:
    extra = _EXTRA_CHECKS.get(key, str)

    def check(value: object) -> str:
        given = "" if value is None else inputs.text(value, limit=limit, numbers=key in ("zip", "phone"))
        return extra(given) if given else ""

    return check


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(given: str) -> str:
    if given not in _zones():
        raise InputError(f"“{given}” is not a time zone. Use a name such as Europe/London.")
    return given


def _country(given: str) -> str:
    return given.upper() if re.fullmatch("[A-Za-z]{2}", given) else given


def _web_address(given: str) -> str:
    if not re.match(r"https?://[^\s/]", given):
        raise InputError("must begin with https:// or http://.")
    return given


_EXTRA_CHECKS: dict[str, Callable[[str], str]] = {
    "timezone": _timezone,
    "country": _country,
    "referral_url": _web_address,
}


def _take_email(reading: _Reading, value: object) -> None:
    given = reading.attempt("email", _text_of("email", 254), value)
    address, is_usable = contacts.email(given or "")
    # Lower-casing can lengthen a text, if only where it is no address anyway.
    reading.values["email"] = address[:254]
    reading.values["email_malformed"] = bool(address) and not is_usable
    if address and not is_usable:
        reading.warnings.append("email: is not a valid address. It is kept, and never sent.")


def _take_phone(reading: _Reading, value: object) -> None:
    given = reading.attempt("phone", _text_of("phone", 40), value)
    region = str(reading.values.get("country") or "")
    region = region if len(region) == 2 else reading.default_region
    number, is_usable = contacts.phone(given, region) if given else ("", True)
    reading.values["phone"] = number
    reading.values["phone_malformed"] = not is_usable
    if not is_usable:
        hint = "" if region else " Begin it with + and the country code."
        reading.warnings.append(f"phone: is not a valid number. It is kept, and never sent.{hint}")


def _take_birthday(reading: _Reading, value: object) -> None:
    parts = reading.attempt("birthday", birthday, value) or (None, None, None)
    reading.values |= dict(zip(("birth_year", "birth_month", "birth_day"), parts, strict=True))


def birthday(value: object) -> tuple[int | None, int | None, int | None]:
    """Year (if known), month and day; all None where it is cleared."""
    if value is None or value == "":
        return None, None, None
    match = _BIRTHDAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match:
        year = int(match["year"]) if match["year"] else None
        try:
            day = date(year or 2000, int(match["month"]), int(match["day"]))
        except ValueError:
            day = date.min
        if 1900 <= day.year <= 2100:
            return year, day.month, day.day
    raise InputError("must be a day such as 1990-05-17, or 05-17 where the year is not known.")


def _take_state(reading: _Reading, value: object) -> None:
    if value not in STATES:
        reading.errors.append(f"state: must be one of {', '.join(STATES)}.")
    reading.values["state"] = value


def _take_enrolled_at(reading: _Reading, value: object) -> None:
    reading.take("enrolled_at", lambda v: None if v is None or v == "" else inputs.moment(v), value)


def _attributes(value: object) -> dict[str, object] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InputError("must be an object of names and values.")
    for key in value:
        if not isinstance(key, str) or not key.strip() or len(key) > 255:
            raise InputError("a name must be text of 1 to 255 characters.")
        if key.startswith("$"):
            raise InputError(f"“{key}” begins with $, which is reserved.")
    if not inputs.is_clean_json(value):
        raise InputError("holds what cannot be stored: a NUL character or a number that is not finite.")
    return dict(value)


def _tags(value: object) -> list[str]:
    if value is None or value == "":
        return []
    if not isinstance(value, list | tuple):
        raise InputError("must be a list of texts.")
    given = [inputs.text(tag, limit=100) for tag in value]
    if len(given) > MAX_TAGS:
        raise InputError(f"holds more than {MAX_TAGS} tags.")
    return list(dict.fromkeys(tag for tag in given if tag))


# Phone stands after the text fields, for it reads the country.
_TAKERS: dict[str, Callable[[_Reading, object], None]] = {
    "email": _take_email,
    "phone": _take_phone,
    "birthday": _take_birthday,
    "state": _take_state,
    "enrolled_at": _take_enrolled_at,
    "attributes": lambda reading, value: reading.take("attributes", _attributes, value),
    "tags": lambda reading, value: reading.take("tags", _tags, value),
}
