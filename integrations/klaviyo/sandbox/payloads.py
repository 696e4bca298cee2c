"""The profile block of imports, updates and events: read it, check it, apply it to a profile."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from integrations.klaviyo.sandbox.checks import Checks
from integrations.klaviyo.sandbox.store.profiles import Profile
from integrations.klaviyo.sandbox.store.workspace import Identity, Workspace
from integrations.klaviyo.sandbox.values import EXTERNAL_ID_MAX, is_email, is_phone

MAX_PROFILE_BYTES = 100 * 1024

TEXTS = ("first_name", "last_name", "organization", "locale", "title", "image")
_LOCATION_TEXTS = ("address1", "address2", "city", "country", "region", "zip", "timezone", "ip")
LOCATION = (*_LOCATION_TEXTS, "latitude", "longitude")
_IDENTIFIERS = ("email", "phone_number", "external_id")

CREATE_KEYS = frozenset((*TEXTS, *_IDENTIFIERS, "location", "properties"))
IMPORT_KEYS = CREATE_KEYS | {"_kx"}
EVENT_KEYS = IMPORT_KEYS | {"anonymous_id"}
SINGLE_EVENT_KEYS = EVENT_KEYS | {"meta"}

_PATCHES = frozenset(("append", "unappend", "unset"))
_TEXT_KEYS = frozenset((*TEXTS, *_IDENTIFIERS, "_kx", "anonymous_id"))
_EMPTY = Identity(None, None, None, None)


@dataclass(slots=True)
class ProfilePayload:
    """A checked profile block. `phone_ignored` marks a bad number that Klaviyo forgives beside a good
    address.
    """

    identity: Identity = _EMPTY
    attributes: dict[str, Any] = field(default_factory=dict)
    patch: dict[str, Any] = field(default_factory=dict)
    phone_ignored: bool = False


def read_profile(
    checks: Checks,
    resource: dict[str, Any],
    pointer: str,
    *,
    keys: frozenset[str],
    forgives_phone: bool = False,
    needs_identity: bool = True,
    has_meta: bool = True,
    has_id: bool = True,
) -> ProfilePayload:
    """Check one profile resource; errors go to `checks` with pointers below `pointer`."""
    if resource.get("type") != "profile" or not resource.keys() <= _RESOURCE_KEYS:
        beside = ("attributes", *(["id"] if has_id else []), *(["meta"] if has_meta else []))
        checks.resource(resource, "profile", pointer, beside)
    attributes = resource.get("attributes")
    if not isinstance(attributes, dict):
        attributes = checks.mapping(resource, "attributes", pointer)
    here = f"{pointer}/attributes"
    if not attributes.keys() <= keys:
        checks.keys(attributes, keys, here, "profile")
    _check_types(checks, attributes, here)
    meta = resource.get("meta") if "meta" in resource else attributes.get("meta")
    patch = _read_patch(checks, meta, f"{pointer}/meta") if meta is not None else {}
    payload = ProfilePayload(_EMPTY, attributes, patch)
    payload.identity = _read_identity(checks, payload, resource, here, forgives_phone)
    has_identity = any(payload.identity) or attributes.get("anonymous_id") or attributes.get("_kx")
    if needs_identity and not has_identity:
        checks.refuse("At least one profile identifier must be provided.", here)
    return payload


def restore(resource: dict[str, Any]) -> ProfilePayload:
    """Read a profile block again that was found good before."""
    attributes: dict[str, Any] = resource["attributes"]
    email = _text(attributes, "email")
    identity = Identity(
        _text(resource, "id"),
        _text(attributes, "external_id"),
        email.strip().lower() if email is not None else None,
        _text(attributes, "phone_number"),
    )
    patch = (resource.get("meta") or {}).get("patch_properties") or {}
    return ProfilePayload(identity, attributes, patch)


_RESOURCE_KEYS = frozenset(("type", "id", "attributes", "meta"))


def _check_types(checks: Checks, attributes: dict[str, Any], pointer: str) -> None:
    for name, value in attributes.items():
        if value is None:
            continue
        if name in _TEXT_KEYS:
            if type(value) is not str:
                checks.breach(f"'{name}' must be a string.", f"{pointer}/{name}")
        elif name in ("location", "properties"):
            if type(value) is not dict:
                checks.breach(f"'{name}' must be an object.", f"{pointer}/{name}")
            elif name == "location" and not value.keys() <= _LOCATION_SET:
                checks.keys(value, LOCATION, f"{pointer}/location", "profile")


_LOCATION_SET = frozenset(LOCATION)


def _read_identity(
    checks: Checks, payload: ProfilePayload, resource: dict[str, Any], pointer: str, forgives_phone: bool
) -> Identity:
    attributes = payload.attributes
    email, phone = _text(attributes, "email"), _text(attributes, "phone_number")
    external_id = _text(attributes, "external_id")
    if email is not None:
        # Klaviyo matches addresses without regard to case; one spelling is kept here.
        email = email.strip().lower()
        if not is_email(email):
            checks.refuse("Invalid email address", f"{pointer}/email")
    if phone is not None and not is_phone(phone):
        if forgives_phone and email is not None:
            phone, payload.phone_ignored = None, True
        else:
            checks.refuse("Invalid phone number format", f"{pointer}/phone_number")
    if external_id is not None and len(external_id) > EXTERNAL_ID_MAX:
        checks.refuse(f"'external_id' exceeds {EXTERNAL_ID_MAX} characters.", f"{pointer}/external_id")
    return Identity(_text(resource, "id"), external_id, email, phone)


def _text(value: dict[str, Any], name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) and found else None


def _read_patch(checks: Checks, meta: Any, pointer: str) -> dict[str, Any]:
    if not isinstance(meta, dict):
        checks.breach("'meta' must be an object.", pointer)
        return {}
    checks.stray(meta, ("patch_properties", "patch_identifiers"), pointer)
    patch = checks.mapping(meta, "patch_properties", pointer, required=False)
    here = f"{pointer}/patch_properties"
    checks.keys(patch, _PATCHES, here, "profile")
    for name in ("append", "unappend"):
        checks.mapping(patch, name, here, required=False)
    unset = patch.get("unset")
    is_list = isinstance(unset, list) and all(isinstance(item, str) for item in unset)
    if unset is not None and not isinstance(unset, str) and not is_list:
        checks.breach("'unset' must be a string or a list of strings.", f"{here}/unset")
    return patch if not checks.errors else {}


def check_size(checks: Checks, resource: dict[str, Any], pointer: str) -> None:
    if len(json.dumps(resource, ensure_ascii=False).encode()) > MAX_PROFILE_BYTES:
        checks.refuse("Profile payload exceeds the maximum allowed size of 100KB.", pointer)


def apply(workspace: Workspace, profile: Profile, payload: ProfilePayload, *, clears_nulls: bool) -> None:
    """Write a payload into a profile: identifiers, attributes, custom properties, then patches.

    `null` clears a standard attribute in single calls and is ignored by bulk imports and events; what is
    omitted stays (OpenAPI description; "bulk profile import" guide).
    """
    workspace.identify(profile, payload.identity)
    for name, value in payload.attributes.items():
        if name in _IDENTIFIERS:
            if value is None and clears_nulls:
                workspace.clear(profile, "phone" if name == "phone_number" else name)
        elif name == "location":
            _apply_location(profile, value, clears_nulls)
        elif name == "properties":
            _apply_properties(profile, value, clears_nulls)
        elif name in TEXTS and (value is not None or clears_nulls):
            profile.attrs[name] = value
    if payload.patch:
        apply_patch(profile.props, payload.patch)


def _apply_location(profile: Profile, value: dict[str, Any] | None, clears_nulls: bool) -> None:
    if value is None:
        if clears_nulls:
            profile.attrs.pop("location", None)
        return
    location = profile.attrs.setdefault("location", {})
    location.update({key: item for key, item in value.items() if item is not None or clears_nulls})


def _apply_properties(profile: Profile, value: dict[str, Any] | None, clears_nulls: bool) -> None:
    if value:
        profile.props.update({key: item for key, item in value.items() if item is not None or clears_nulls})


def apply_patch(properties: dict[str, Any], patch: dict[str, Any]) -> None:
    """`append` and `unappend` work on lists and take one value or several; `unset` removes keys."""
    for key, value in (patch.get("append") or {}).items():
        held = _as_list(properties.get(key))
        properties[key] = held + [item for item in _as_list(value) if item not in held]
    for key, value in (patch.get("unappend") or {}).items():
        if key in properties:
            gone = _as_list(value)
            properties[key] = [item for item in _as_list(properties[key]) if item not in gone]
    for key in _as_list(patch.get("unset")):
        properties.pop(key, None)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
