"""Our values as Klaviyo's JSON (pure).

Three shapes of a profile, which look alike and are not:

- a single write (profile-import, PATCH) clears a standard attribute with null;
- a bulk row cannot clear (null is ignored there), so a write that clears must go alone;
- inside an event, `meta` stands within the attributes (single) or beside them (bulk).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from integrations.gateway.values import BatchKind, EventWrite, ProfileWrite

Json = Any

_ATTRIBUTES: Final = {
    "external_id": "external_id",
    "email": "email",
    "phone": "phone_number",
    "first_name": "first_name",
    "last_name": "last_name",
    "locale": "locale",
}
LOCATION: Final = ("address1", "address2", "city", "region", "zip", "country", "timezone")
STANDARD: Final = _ATTRIBUTES | {key: key for key in LOCATION}


def profile_document(write: ProfileWrite) -> Json:
    """The body of a single write; with a remote id it is the body of a PATCH."""
    data: dict[str, Json] = {"type": "profile"}
    if write.remote_id:
        data["id"] = write.remote_id
    data["attributes"] = _attributes(dict(write.values) | dict.fromkeys(write.clear), write.properties)
    return {"data": data | _meta(write)}


def encode_profile(write: ProfileWrite) -> bytes:
    """One row of a bulk import. Raises ValueError for a write that clears: it must go alone.

    The remote id stays out. Klaviyo finds the person by external id, e-mail or phone, and an id that
    was merged away would make the row fail.
    """
    if write.clear:
        raise ValueError("A bulk import cannot clear attributes: send this write by itself.")
    attributes = _attributes(write.values, write.properties)
    return _encode({"type": "profile", "attributes": attributes} | _meta(write))


def event_document(write: EventWrite) -> Json:
    """The body of a single event."""
    profile = _event_profile(write.profile)
    profile["attributes"] |= _meta(write.profile)
    attributes = _event_attributes(write) | {"profile": {"data": profile}}
    return {"data": {"type": "event", "attributes": attributes}}


def encode_event(write: EventWrite) -> bytes:
    """One entry of a bulk call: a profile with one event, so that the order stays as it was given."""
    profile = _event_profile(write.profile) | _meta(write.profile)
    event = {"type": "event", "attributes": _event_attributes(write)}
    attributes = {"profile": {"data": profile}, "events": {"data": [event]}} | _backfill(write)
    return _encode({"type": "event-bulk-create", "attributes": attributes})


def pack(kind: BatchKind, rows: Iterable[bytes], list_ids: Sequence[str] = ()) -> bytes:
    """Wrap encoded rows into one body, without reading them again."""
    start, end = _WRAPPERS[kind]
    if list_ids:
        lists = [{"type": "list", "id": list_id} for list_id in list_ids]
        relationships = _encode({"lists": {"data": lists}})
        end = end[:-2] + b',"relationships":' + relationships + b"}}"
    return start + b",".join(rows) + end


def list_document(name: str) -> Json:
    """The body that creates a list. Its opt-in process is left to the account's own default."""
    return {"data": {"type": "list", "attributes": {"name": name}}}


def members_document(remote_ids: Sequence[str]) -> Json:
    return {"data": [{"type": "profile", "id": remote_id} for remote_id in remote_ids]}


def erasure_document(identifier: str, value: str) -> Json:
    """The body that asks for an erasure; Klaviyo wants exactly one identifier."""
    profile: dict[str, Json] = {"type": "profile", "attributes": {}}
    if identifier == "remote_id":
        profile["id"] = value
    else:
        profile["attributes"][_ATTRIBUTES[identifier]] = value
    attributes = {"profile": {"data": profile}}
    return {"data": {"type": "data-privacy-deletion-job", "attributes": attributes}}


def encode(document: Json) -> bytes:
    """Compact UTF-8 JSON; refuses NaN and infinities, which JSON does not have."""
    return _encode(document)


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_WRAPPERS: Final = {
    BatchKind.PROFILES: (
        b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[',
        b"]}}}}",
    ),
    BatchKind.EVENTS: (
        b'{"data":{"type":"event-bulk-create-job","attributes":{"events-bulk-create":{"data":[',
        b"]}}}}",
    ),
}


def _encode(document: Json) -> bytes:
    return _encoder.encode(document).encode()


def _attributes(values: Mapping[str, Json], properties: Mapping[str, Json]) -> dict[str, Json]:
    attributes: dict[str, Json] = {}
    location: dict[str, Json] = {}
    for key, value in values.items():
        if key in LOCATION:
            location[key] = value
        else:
            attributes[_ATTRIBUTES[key]] = value
    if location:
        attributes["location"] = location
    if properties:
        attributes["properties"] = dict(properties)
    return attributes


def _meta(write: ProfileWrite) -> dict[str, Json]:
    return {"meta": {"patch_properties": {"unset": list(write.unset)}}} if write.unset else {}


def _event_profile(write: ProfileWrite) -> dict[str, Json]:
    """Whom an event is about. The remote id only stands in where nothing else names the person."""
    profile: dict[str, Json] = {"type": "profile"}
    if write.remote_id and not write.values:
        profile["id"] = write.remote_id
    profile["attributes"] = _attributes(write.values, write.properties)
    return profile


def _event_attributes(write: EventWrite) -> dict[str, Json]:
    money: dict[str, Json] = {} if write.value is None else {"value": write.value}
    if money and write.currency:
        money["value_currency"] = write.currency
    return {
        "metric": {"data": {"type": "metric", "attributes": {"name": write.metric}}},
        "time": _instant(write.occurred_at),
        "unique_id": write.uid,
        "properties": {key: _visible(value) for key, value in write.properties.items() if value is not None},
        **money,
        **_backfill(write),
    }


def _visible(value: Json) -> Json:
    """Keep a zero in sight: Klaviyo does not store the number 0 in an event, but does store the text "0".

    Without this, the mail that tells a member about a spent balance shows a blank. A number 0 would be
    missing from comparisons too, so the text loses nothing. Profiles keep 0 and are sent numbers.
    """
    if value == 0 and isinstance(value, int | float) and not isinstance(value, bool):
        return "0"
    return value


def _backfill(write: EventWrite) -> dict[str, Json]:
    """History starts no flows. In bulk the flag exists on the entry and on the event: both are set."""
    return {"backfill": True} if write.history else {}


def _instant(moment: datetime) -> str:
    """Whole seconds with a Z; Klaviyo cuts to seconds itself. Raises ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("An event's time needs a time zone.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
