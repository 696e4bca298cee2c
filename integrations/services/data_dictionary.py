"""What a connection sends, for people who write e-mails: every name with its type, a sample and its tag.

Made from the tenant's own mappings, by the same catalogue and schema that planning sends from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from integrations.gateway import registry
from integrations.gateway.port import Destination
from integrations.gateway.values import STANDARD_KEYS
from integrations.models import AudienceMapping, Extension, FieldMapping
from integrations.models.mappings import FieldPolicy
from integrations.planning import desired, merge
from integrations.services import composing, event_mappings
from integrations.services.event_mappings import Told
from loyalty import fields
from loyalty.models import Member
from loyalty.rules.event_kinds import EventKind, PayloadField

LOOK_AT = 20  # newest members in whom a sample is looked for
# Samples of these are made up: the dictionary is printed and passed on.
PERSONAL = ("Profile", "Location")
TYPES = {
    "text": "Text",
    "number": "Number",
    "boolean": "Yes or no",
    "date": "Date",
    "datetime": "Date and time",
    "list": "List",
    "any": "As you give it",
}


@dataclass(frozen=True)
class Entry:
    """One name. `sample` is None where none is known; `is_real`: it is a member's own value."""

    name: str
    type: str
    help: str
    tag: str
    sample: Any = None
    is_real: bool = False
    policy: str = ""

    def has(self, text: str) -> bool:
        return text in f"{self.name} {self.help} {self.tag}".casefold()


@dataclass(frozen=True)
class EventEntries:
    """An event that is switched on, and what it tells."""

    told: Told
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Dictionary:
    properties: tuple[Entry, ...]
    attributes: tuple[Entry, ...]
    events: tuple[EventEntries, ...]
    lists: tuple[AudienceMapping, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.properties or self.attributes or self.events or self.lists)

    def narrowed(self, text: str) -> "Dictionary":
        """Only what has `text` in its name, meaning or tag; an event or audience that has it stays whole."""
        wanted = text.strip().casefold()
        if not wanted:
            return self
        found = (_narrow_event(event, wanted) for event in self.events)
        return Dictionary(
            tuple(entry for entry in self.properties if entry.has(wanted)),
            tuple(entry for entry in self.attributes if entry.has(wanted)),
            tuple(event for event in found if event.entries),
            tuple(row for row in self.lists if wanted in f"{row.list_name} {row.audience.name}".casefold()),
        )


def build(extension: Extension) -> Dictionary:
    """Everything that this connection sends. The same number of queries whatever is mapped."""
    destination = registry.get(extension.destination)
    policies = composing.policies_of(extension)
    samples = _samples(extension)
    known = fields.all_fields(extension.tenant)
    events = event_mappings.metrics(extension) if extension.events_enabled else []
    rows = extension.audience_mappings.filter(ending_at=None).select_related("audience").order_by("list_name")
    return Dictionary(
        properties=tuple(
            _property(row, known, samples, policies, destination) for row in extension.field_mappings.all()
        ),
        attributes=tuple(_attribute(key, policies, destination) for key in STANDARD_KEYS),
        events=tuple(
            EventEntries(told, event_entries(told.kind, destination)) for told in events if told.is_enabled
        ),
        lists=tuple(rows),
    )


def event_entries(kind: EventKind, destination: Destination) -> tuple[Entry, ...]:
    """What an event of this kind tells, in the order of its schema."""
    return tuple(_payload(field, destination) for field in kind.fields)


def _payload(field: PayloadField, destination: Destination) -> Entry:
    help = field.help or _PAYLOAD_HELP.get(field.name, "")
    return Entry(field.name, TYPES[field.type], help, destination.event_tag([field.name]), field.sample)


# What the schema takes as said by the name.
_PAYLOAD_HELP = {
    "Occurred At": "When it happened, in UTC.",
    "Reason": "Why, in the words of whoever posted it.",
    "Balance": "Points after this.",
    "Lifetime Points": "All points ever earned.",
}


def _property(
    row: FieldMapping,
    known: dict[str, fields.Field],
    samples: Sequence[dict[str, Any]],
    policies: merge.Policies,
    destination: Destination,
) -> Entry:
    entry = Entry(
        name=row.property,
        type="",
        help=row.field,
        tag=destination.property_tag(row.property),
        policy=_policy(policies, "." + row.property),
    )
    field = known.get(row.field) or _get(row.field)
    if field is None:
        return replace(entry, help=f"The field “{row.field}” is not in the catalogue any more.")
    real = None if field.group in PERSONAL else _first(samples, row.property)
    return replace(
        entry,
        type=TYPES[field.type],
        help=f"{field.label}. {field.help}".strip(),
        sample=field.sample if real is None else real,
        is_real=real is not None,
    )


def _attribute(key: str, policies: merge.Policies, destination: Destination) -> Entry:
    field = fields.get(key)
    return Entry(
        name=field.label,
        type=TYPES[field.type],
        help=field.help,
        tag=destination.standard_tag(key),
        sample=field.sample,
        policy=_policy(policies, key),
    )


def _get(key: str) -> fields.Field | None:
    try:
        return fields.get(key)
    except fields.UnknownField:
        return None


def _policy(policies: merge.Policies, key: str) -> str:
    return str(FieldPolicy(policies.of(key)).label)


def _samples(extension: Extension) -> list[dict[str, Any]]:
    """The properties of the newest members who can be reached, newest first; none where planning could not."""
    newest = Member.objects.for_tenant(extension.tenant_id).reachable().order_by("-pk")
    ids = list(newest.values_list("pk", flat=True)[:LOOK_AT])
    try:
        found = desired.of(extension, ids)
    except fields.UnknownField:
        return []
    return [found[pk][0]["properties"] for pk in ids if pk in found]


def _first(samples: Sequence[dict[str, Any]], name: str) -> Any:
    return next((values[name] for values in samples if values.get(name) not in (None, "", [])), None)


def _narrow_event(event: EventEntries, wanted: str) -> EventEntries:
    if wanted in f"{event.told.metric} {event.told.kind.label}".casefold():
        return event
    return replace(event, entries=tuple(entry for entry in event.entries if entry.has(wanted)))
