"""What people fill in to map fields to properties, and to take a mapping away."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from django import forms
from typing_extensions import override

from integrations.errors import ConfigurationError
from integrations.models import Extension, FieldMapping
from integrations.models.mappings import FieldPolicy
from integrations.services import field_mappings, fields_page
from loyalty.fields import STANDARD_PROPERTIES, Field

USUAL_NAMES = dict(STANDARD_PROPERTIES)
LEAVE, CLEAR = "leave", "clear"


def suggested(extension: Extension, field: Field) -> str:
    """The name that a field's property is offered: with the connection's prefix before it.

    A field that travels by itself as an attribute is offered another name than the attribute's.
    """
    name = f"{extension.property_prefix}{USUAL_NAMES.get(field.key, field.label)}"
    return f"Loyalty {name}" if field_mappings.is_taken(name) else name


def grouped(known: Mapping[str, Field]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Choices under the headings of the catalogue."""
    parts = groupby(known.values(), key=lambda field: field.group)
    return [(group, [(field.key, field.label) for field in members]) for group, members in parts]


class OldValuesForm(forms.Form):
    """What becomes of the values that are there already."""

    old = forms.ChoiceField(
        choices=((LEAVE, "Leave them"), (CLEAR, "Clear them")), initial=LEAVE, required=False
    )

    def clean_old(self) -> str:
        return str(self.cleaned_data["old"] or LEAVE)


class FieldMappingForm(OldValuesForm):
    """One field, its property and who wins. `known` is the catalogue with the tenant's own attributes."""

    field = forms.ChoiceField(label="Field", error_messages={"required": "Choose a field."})
    property = forms.CharField(max_length=120, label="Property", required=False, strip=True)
    policy = forms.ChoiceField(choices=FieldPolicy.choices, required=False, label="Who wins")
    again = forms.BooleanField(required=False, label="Stop clearing it, and fill it again")
    field_order = ("field", "property", "again", "policy", "old")

    def __init__(
        self,
        given: Mapping[str, Any] | None = None,
        *,
        extension: Extension,
        known: Mapping[str, Field],
        mapping: FieldMapping | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(given, initial=initial)
        self.extension, self.known, self.mapping = extension, known, mapping
        self.asks_again = False
        choices: Any = self.fields["field"]
        choices.choices = [("", "Choose a field"), *grouped(known)]
        self.fields["property"].help_text = (
            "Left empty, it is named after the field."
            if mapping is None
            else "Under another name it is another property; you choose below what becomes of the old one."
        )

    def groups(self) -> list[dict[str, Any]]:
        """The options under their headings, each with the name that its property is offered."""
        chosen = str(self["field"].value() or "")
        first = {"label": "", "options": [{"key": "", "label": "Choose a field", "is_chosen": not chosen}]}
        return [first] + [
            {
                "label": group,
                "options": [
                    {
                        "key": key,
                        "label": text,
                        "name": suggested(self.extension, self.known[key]),
                        "is_chosen": key == chosen,
                    }
                    for key, text in options
                ],
            }
            for group, options in grouped(self.known)
        ]

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "field" not in cleaned or "property" not in cleaned:
            return cleaned
        cleaned["property"] = cleaned["property"] or suggested(self.extension, self.known[cleaned["field"]])
        try:
            field_mappings.check_name(self.extension, cleaned["property"], besides=self.mapping)
        except ConfigurationError as error:
            self.add_error("property", error.words)
        else:
            self._refuse_retired(cleaned["property"], is_meant=bool(cleaned.get("again")))
        return cleaned

    def _refuse_retired(self, name: str, *, is_meant: bool) -> None:
        """What is being cleared is filled again only by somebody who knows."""
        if not field_mappings.is_retired(self.extension, name):
            return
        self.asks_again = True
        if not is_meant:
            self.add_error(
                "property",
                f"“{name}” is being cleared now. Wait until that is done, choose another name, or stop the "
                "clearing with the box below.",
            )

    def type_change(self) -> str:
        """A warning where another type comes under the same name; empty where not."""
        if self.mapping is None or self.cleaned_data["property"] != self.mapping.property:
            return ""
        return fields_page.type_warning(self.known, self.mapping, self.cleaned_data["field"])
