"""Which field becomes which property: mapped, changed, taken away, each with what follows from it."""

from typing import Literal

from django.db import IntegrityError, transaction

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.gateway.values import STANDARD_KEYS
from integrations.models import Extension, FieldMapping, RetiredProperty
from integrations.services import connections
from loyalty.fields import STANDARD_PROPERTIES

Old = Literal["leave", "clear"]
# Names of what identifies a person: a property of that name would be taken for the attribute.
TAKEN = frozenset(STANDARD_KEYS) | {"phone_number"}


def is_taken(name: str) -> bool:
    """Whether a property of this name would be taken for a standard attribute."""
    return name.casefold().replace(" ", "_") in TAKEN


def check_name(extension: Extension, name: str, *, besides: FieldMapping | None = None) -> None:
    """Raise ConfigurationError for a property that cannot be mapped here, with what to do instead."""
    registry.get(extension.destination).validate_property(name)
    if is_taken(name):
        raise ConfigurationError(
            f"“{name}” is the name of a standard attribute, which travels by itself. Choose another name."
        )
    for other in extension.field_mappings.all():
        if besides is not None and other.pk == besides.pk:
            continue
        if other.property == name:
            raise ConfigurationError(
                f"“{name}” is filled already. Edit that mapping, or choose another name."
            )
        if other.property.casefold() == name.casefold():
            raise ConfigurationError(
                f"“{name}” differs from “{other.property}” in capitals only, so it would be a second "
                "property that looks the same. Choose another name."
            )


def is_retired(extension: Extension, name: str) -> bool:
    return extension.retired_properties.filter(property=name).exists()


def add(extension: Extension, *, field: str, property: str, policy: str = "") -> FieldMapping:
    """Map a field; a property that was being cleared is not cleared any more. Raises ConfigurationError."""
    check_name(extension, property)
    try:
        with transaction.atomic():
            mapping = FieldMapping.objects.create(
                extension=extension, field=field, property=property, policy=policy
            )
            extension.retired_properties.filter(property=property).delete()
            _due(extension, f"Property {property} was mapped")
    except IntegrityError as error:
        raise ConfigurationError(f"“{property}” is filled already. Choose another name.") from error
    return mapping


def add_standard(extension: Extension) -> int:
    """Map what is missing of the standard set; return how many that were."""
    present = {name.casefold() for name in extension.field_mappings.values_list("property", flat=True)}
    missing = [pair for pair in STANDARD_PROPERTIES if pair[1].casefold() not in present]
    with transaction.atomic():
        for field, name in missing:
            FieldMapping.objects.get_or_create(
                extension=extension, property=name, defaults={"field": field, "policy": ""}
            )
        extension.retired_properties.filter(property__in=[name for _, name in missing]).delete()
        if missing:
            _due(extension, "The standard properties were mapped")
    return len(missing)


def change(
    mapping: FieldMapping, *, field: str, property: str, policy: str, old: Old = "leave"
) -> FieldMapping:
    """Change a mapping. Under another name, `old` says what becomes of the old property there.

    Raises ConfigurationError for a name that cannot be had.
    """
    extension, before = mapping.extension, mapping.property
    check_name(extension, property, besides=mapping)
    if (mapping.field, before, mapping.policy) == (field, property, policy):
        return mapping
    mapping.field, mapping.property, mapping.policy = field, property, policy
    try:
        with transaction.atomic():
            mapping.save(update_fields=["field", "property", "policy"])
            extension.retired_properties.filter(property=property).delete()
            _due(extension, f"Property {property} was changed")
            if property != before and old == "clear":
                _retire(extension, before)
    except IntegrityError as error:
        raise ConfigurationError(f"“{property}” is filled already. Choose another name.") from error
    return mapping


@transaction.atomic
def remove(mapping: FieldMapping, *, old: Old) -> None:
    """Send the field no more; `old` says what becomes of the values that are there."""
    mapping.delete()
    if old == "clear":
        _retire(mapping.extension, mapping.property)


def _retire(extension: Extension, name: str) -> None:
    RetiredProperty.objects.get_or_create(extension=extension, property=name)
    _due(extension, f"Property {name} is being cleared")


def _due(extension: Extension, reason: str) -> None:
    """On a connection that works already, everybody is looked at again without being told to."""
    if extension.is_active and extension.account_id:
        connections.everybody_is_due(extension, reason[:100])
