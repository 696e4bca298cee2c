"""Klaviyo's error objects in plain English (pure): which row, what was wrong, for a merchant to read."""

import re
from collections.abc import Mapping
from typing import Any, Final

Json = Any

# Codes of an import error that are Klaviyo's own trouble: the same row may pass later.
PASSING: Final = frozenset(
    {
        "internal_error",
        "internal_server_error",
        "internal_service_error",
        "service_unavailable",
        "throttled",
        "timeout",
    }
)

_ROW: Final = re.compile(r"/data/attributes/(?:profiles|events-bulk-create)/data/(\d+)(?:/|$)")
_PROPERTY: Final = re.compile(r"/properties/([^/]+)")

# By the part of a pointer that names the attribute; the first one found from the end counts.
_SUBJECTS: Final = {
    "email": "Klaviyo does not accept this e-mail address",
    "phone_number": "Klaviyo does not accept this phone number",
    "external_id": "Klaviyo does not accept this member id",
    "first_name": "Klaviyo does not accept this first name",
    "last_name": "Klaviyo does not accept this last name",
    "locale": "Klaviyo does not accept this language",
    "address1": "Klaviyo does not accept this address",
    "address2": "Klaviyo does not accept this address",
    "city": "Klaviyo does not accept this city",
    "region": "Klaviyo does not accept this region",
    "zip": "Klaviyo does not accept this postcode",
    "country": "Klaviyo does not accept this country",
    "timezone": "Klaviyo does not accept this time zone",
    "location": "Klaviyo does not accept this address",
    "patch_properties": "Klaviyo does not accept a property to be removed",
    "time": "Klaviyo does not accept the time of this event",
    "unique_id": "Klaviyo does not accept the id of this event",
    "metric": "Klaviyo does not accept the name of this event",
    "value": "Klaviyo does not accept the amount of this event",
    "value_currency": "Klaviyo does not accept the currency of this event",
}
_CODES: Final = {
    "duplicate_profile": "Another profile in Klaviyo already has this e-mail address or phone number",
    "payload_too_large": "This is more than Klaviyo accepts for one member",
}


def pointer(error: Mapping[str, Json]) -> str:
    source = error.get("source")
    found = source.get("pointer") if isinstance(source, dict) else None
    return found if isinstance(found, str) else ""


def row(place: str) -> int | None:
    """The index of the row that a pointer names, if it names one."""
    match = _ROW.match(place)
    return int(match[1]) if match else None


def detail(error: Mapping[str, Json]) -> str:
    text = error.get("detail") or error.get("title") or error.get("code") or "no reason given"
    return str(text).strip().rstrip(".")[:400]


def is_about_the_call(error: Mapping[str, Json]) -> bool:
    """Whether the address or a header is wrong, rather than what was written about a person."""
    source = error.get("source")
    if isinstance(source, dict) and source.get("parameter"):
        return True
    return not pointer(error).startswith("/data/attributes") and "revision" in detail(error).lower()


def words(error: Mapping[str, Json], *, what: str) -> str:
    """One sentence; `what` is the thing refused when nothing more exact is known: member, event."""
    return f"{_subject(error, what)}: {detail(error)}."


def _subject(error: Mapping[str, Json], what: str) -> str:
    by_code = _CODES.get(str(error.get("code")))
    if by_code:
        return by_code
    place = pointer(error)
    named = _PROPERTY.search(place)
    if named:
        return f"Klaviyo does not accept the property “{named[1]}”"
    for part in reversed(place.split("/")):
        if part in _SUBJECTS:
            return _SUBJECTS[part]
    return f"Klaviyo refused this {what}"
