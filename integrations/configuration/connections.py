"""Checks the part of a file that is about connections. Nothing here calls a destination."""

import re
from collections.abc import Callable

from integrations.configuration.parts import Part, refuse_twins
from integrations.configuration.wanted import (
    WantedAuth,
    WantedEvent,
    WantedExtension,
    WantedField,
    WantedList,
)
from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.gateway.port import Destination
from integrations.models import AuthMethod, MergePolicy
from integrations.models.mappings import FieldPolicy
from loyalty import fields
from loyalty.rules.event_kinds import KINDS
from portal.tenancy.secrets import Secret

STANDARD_FIELDS = tuple(WantedField(key, name) for key, name in fields.STANDARD_PROPERTIES)
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


def extensions(parts: list[Part]) -> tuple[WantedExtension, ...]:
    found = [_extension(part) for part in parts]
    refuse_twins((part, "name", wanted.name) for part, wanted in zip(parts, found, strict=True))
    active = [(part, wanted) for part, wanted in zip(parts, found, strict=True) if wanted.active]
    seen: dict[str, str] = {}
    for part, wanted in active:
        if wanted.destination in seen:
            part.refuse(
                "active",
                f"only one connection to {wanted.destination} can be active, as {seen[wanted.destination]} is.",
            )
        seen.setdefault(wanted.destination, part.path)
    return tuple(found)


def _extension(part: Part) -> WantedExtension:
    key = part.choice("destination", list(registry.destinations()))
    destination = registry.destinations().get(key)
    wanted = WantedExtension(
        name=part.text("name", limit=100),
        destination=key,
        active=part.flag("active", False) if part.has("active") else None,
        auth=_auth(part.part("auth"), destination) if part.has("auth") else None,
        merge_policy=part.choice("merge_policy", [value for value in MergePolicy.values if value], ""),
        only_opted_in=part.flag("only_opted_in", False),
        events_enabled=part.flag("events_enabled", True),
        base_url=part.text("base_url", limit=200, default="", check=_base_url(destination)).rstrip("/"),
        revision=part.text("revision", limit=20, default=""),
        throttle_share=part.whole("throttle_share", least=1, most=100, default=80),
        fields=_fields(part, destination),
        events=_events(part, destination),
        lists=_lists(part.parts("lists")),
        path=part.path,
    )
    for key in ("active", "auth"):
        part.take(key)
    part.done()
    return wanted


def _base_url(destination: Destination | None) -> Callable[[str], str | None]:
    ask = _asking(destination, "validate_base_url")

    def check(text: str) -> str | None:
        if not _WEB_ADDRESS.fullmatch(text):
            raise ValueError("must be a web address without query, such as https://api.example.")
        return ask(text)

    return check


def _auth(part: Part, destination: Destination | None) -> WantedAuth | None:
    method = part.choice("method", AuthMethod.values)
    if method != AuthMethod.PRIVATE_KEY:
        if part.has("private_key"):
            part.refuse("private_key", "is of no use with this method. Take it away.")
        part.take("private_key")
        part.done()
        return WantedAuth(method) if method else None
    key = part.text("private_key", limit=500, check=_asking(destination, "validate_secret"))
    part.done()
    return WantedAuth(method, Secret(key))


def _asking(destination: Destination | None, method: str) -> Callable[[str], str | None]:
    """A check that the destination makes; its sentence is for people and holds no secret."""

    def check(text: str) -> str | None:
        try:
            found: str | None = getattr(destination, method)(text) if destination else None
        except ConfigurationError as error:
            raise ValueError(error.words) from None
        return found

    return check


def _fields(part: Part, destination: Destination | None) -> tuple[WantedField, ...]:
    if not part.has("fields"):
        part.take("fields")
        return STANDARD_FIELDS
    parts = part.parts("fields")
    found = []
    for one in parts:
        wanted = WantedField(
            field=one.text("field", limit=120, check=_known_field),
            property=one.text("property", limit=120, check=_asking(destination, "validate_property")),
            policy=one.choice("policy", [value for value in FieldPolicy.values if value], ""),
        )
        one.done()
        found.append(wanted)
    refuse_twins((one, "property", wanted.property) for one, wanted in zip(parts, found, strict=True))
    return tuple(found)


def _known_field(key: str) -> str:
    try:
        return fields.get(key).key
    except fields.UnknownField as error:
        raise ValueError(str(error)) from None


def _events(part: Part, destination: Destination | None) -> dict[str, WantedEvent]:
    if not part.has("events"):
        part.take("events")
        return {}
    kinds = part.part("events")
    found = {}
    for key, kind in KINDS.items():
        if key not in kinds.values:
            kinds.take(key)
            continue
        one = kinds.part(key)
        metric = one.text(
            "metric", limit=127, default=kind.metric, check=_asking(destination, "validate_property")
        )
        found[key] = WantedEvent(metric, one.flag("enabled", True))
        one.done()
    kinds.done()
    return found


def _lists(parts: list[Part]) -> tuple[WantedList, ...]:
    found = []
    for part in parts:
        wanted = WantedList(
            audience=part.text("audience", limit=60),
            list=part.text("list", limit=200),
            create=part.flag("create", True),
            remove_leavers=part.flag("remove_leavers", True),
            paused=part.flag("paused", False),
            path=part.path,
        )
        part.done()
        found.append(wanted)
    refuse_twins((part, "list", wanted.list) for part, wanted in zip(parts, found, strict=True))
    return tuple(found)
