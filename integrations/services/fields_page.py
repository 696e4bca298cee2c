"""What the pages of fields show: mappings in words, examples, choices, the clearing of old properties."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.errors import DestinationError
from integrations.models import Extension, FieldMapping
from integrations.models.mappings import FieldPolicy
from integrations.planning import merge
from integrations.services import clearing, policy_samples, run_history
from loyalty import fields
from loyalty.fields import Field, FieldType
from portal.tenancy.models import Tenant

TYPE_WORDS = {
    FieldType.TEXT: "text",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "yes or no",
    FieldType.DATE: "day",
    FieldType.DATETIME: "date and time",
    FieldType.LIST: "list",
    FieldType.ANY: "as each member has it",
}
# What travels without a mapping: label, and the keys of a document that it is made of.
STANDARD = (
    ("Member id", ("external_id",)),
    ("E-mail", ("email",)),
    ("Phone", ("phone",)),
    ("First name", ("first_name",)),
    ("Last name", ("last_name",)),
    ("Locale", ("locale",)),
    ("Location", ("address1", "address2", "zip", "city", "region", "country")),
    ("Time zone", ("timezone",)),
)
POLICY_HELP = {
    FieldPolicy.OVERWRITE: "Each change here is written there, whatever was there.",
    FieldPolicy.FILL_EMPTY: "Written where there is nothing, or what we wrote before.",
    FieldPolicy.KEEP_THEIRS: "Written once, where there is nothing; after that never changed.",
    FieldPolicy.MAX: "Written where ours is larger or later. It never goes down.",
}


@dataclass(frozen=True)
class Line:
    """One mapping as the page shows it."""

    mapping: FieldMapping
    label: str
    group: str
    type: str
    sample: Any
    wins: str
    has_arrived: bool


def of(extension: Extension) -> dict[str, Any]:
    """All that the page of fields shows of one connection, in a number of queries that does not grow."""
    name, document = policy_samples.one_document(extension)
    known, arrived = fields.all_fields(extension.tenant), policy_samples.arrived(extension)
    return {
        "name": run_history.destination_name(extension),
        "person": name,
        "lines": [
            _line(mapping, known, document.get("properties", {}), arrived)
            for mapping in extension.field_mappings.all()
        ],
        "standard": [
            (text, _joined(document, keys), standard_words(extension, keys[0])) for text, keys in STANDARD
        ],
        "clearing": clearing.progress(extension),
    }


def _line(
    mapping: FieldMapping, known: Mapping[str, Field], properties: Mapping[str, Any], arrived: set[str]
) -> Line:
    field = known.get(mapping.field)
    return Line(
        mapping,
        label(mapping.field),
        field.group if field else "Your attributes",
        TYPE_WORDS[field.type if field else FieldType.ANY],
        properties.get(mapping.property),
        policy_samples.policy_words(mapping.extension, mapping.property, mapping.policy),
        mapping.property in arrived,
    )


def label(key: str) -> str:
    """The field's name for people; a field that is not in the catalogue any more keeps its key."""
    try:
        return fields.get(key).label
    except fields.UnknownField:
        return key


def _joined(document: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return ", ".join(str(document[key]) for key in keys if document.get(key))


def standard_words(extension: Extension, key: str) -> str:
    """Who wins for a standard attribute, for people."""
    if key == "external_id":
        return "Always ours: it ties the profile to the member"
    words = policy_samples.POLICY_WORDS[merge.Policies(extension.merge_policy).of(key)]
    return f"{words}, on profiles that we made" if extension.merge_policy == "skip_existing" else words


# Forms ---------------------------------------------------------------------------------------------


def known_with(tenant: Tenant, mapping: FieldMapping) -> dict[str, Field]:
    """The catalogue, with the mapping's own field also where nobody has that attribute now."""
    known = fields.all_fields(tenant)
    if mapping.field not in known:
        known[mapping.field] = fields.get(mapping.field)
    return known


def policy_choices(extension: Extension, chosen: str) -> list[dict[str, Any]]:
    usual = policy_samples.policy_words(extension, "", "")
    rows = [("", "As the connection", f"Now: {usual[0].lower()}{usual[1:]}.")]
    rows += [(policy.value, policy.label, words) for policy, words in POLICY_HELP.items()]
    return [
        {"value": value, "label": text, "help": words, "is_chosen": value == chosen}
        for value, text, words in rows
    ]


def samples(tenant: Tenant, key: str, known: Mapping[str, Field]) -> dict[str, Any]:
    """Type, help and the values of three members of one field; nothing for a field that is not there."""
    field = known.get(key)
    if field is None:
        return {"field": None}
    return {
        "field": field,
        "type_words": TYPE_WORDS[field.type],
        "samples": policy_samples.ours(tenant, key),
    }


def policy_table(extension: Extension, field: Field | None, name: str) -> dict[str, Any]:
    """Members, ours, theirs and what each policy leaves; `problem` says why theirs are not known."""
    if field is None:
        return {"problem": "Choose a field first.", "people": []}
    context: dict[str, Any] = {
        "property": name,
        "policies": [(words, is_usual) for _, words, is_usual in policy_samples.compared(extension)],
    }
    try:
        people = policy_samples.read(extension, field.key, name or field.label)
    except DestinationError as error:
        return context | {
            "problem": error.words,
            "people": policy_samples.ours(extension.tenant, field.key, policy_samples.PEOPLE),
        }
    return context | {"people": people}


def type_warning(known: Mapping[str, Field], mapping: FieldMapping, field: str) -> str:
    """What another type under the same name does to what is built on it there; "" where it is the same."""
    before, after = known.get(mapping.field), known.get(field)
    if before is None or after is None or before.type == after.type:
        return ""
    if FieldType.ANY in (before.type, after.type):
        return ""
    return (
        f"“{mapping.property}” was {TYPE_WORDS[before.type]} and becomes {TYPE_WORDS[after.type]}: segments and "
        "flows that compare it may stop matching. A new name is safer."
    )


def what_follows(extension: Extension) -> str:
    """What happens to the members after a change, in a sentence."""
    name = run_history.destination_name(extension)
    if extension.is_active and extension.account_id:
        return f"Every member is compared now, and {name} gets what differs."
    if extension.is_active:
        return f"It is sent once the connection to {name} was checked."
    return f"It is sent once {extension.name} is switched on."


def guard_words(extension: Extension, policy: str) -> str:
    """Which values a clearing takes away, under the policy that they were sent with."""
    chosen = policy or extension.merge_policy
    if chosen in ("", FieldPolicy.OVERWRITE):
        return "Wherever we sent it the value is taken away, also where somebody changed it there since."
    return "Only values that are still the ones we sent are taken away; what was changed there stays."
