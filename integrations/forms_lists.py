"""What people fill in to link an audience to a list, to change that, and to unlink it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django import forms

from integrations.gateway.values import RemoteList
from integrations.models import Extension
from integrations.services import list_choices, list_links
from integrations.services.list_choices import Choices
from loyalty.models import Audience

NAME_MAX = 200


@dataclass(frozen=True)
class Option:
    """One list to choose; `taken` says which audience it follows already, and that it cannot be chosen."""

    value: str
    label: str
    taken: str = ""


class AudienceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # takes no argument when it runs
    """Audiences with how many members each has now."""

    counts: Mapping[int, int] = {}

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({self.counts.get(obj.pk, 0):,})"


class LinkForm(forms.Form):
    """Audience and list; `found` is the list of the typed name where there is one, to be offered instead."""

    EXISTING, NEW = "existing", "new"

    audience = AudienceField(Audience.objects.none(), label="Audience", empty_label=None)
    to = forms.ChoiceField(
        choices=((EXISTING, "A list that is there"), (NEW, "A new list")), initial=EXISTING
    )
    list_id = forms.CharField(required=False, max_length=64, label="List")
    name = forms.CharField(required=False, max_length=NAME_MAX, label="Name of the new list")
    remove_leavers = forms.BooleanField(
        required=False,
        initial=True,
        label="Take leavers off the list",
        help_text="Who leaves the audience is taken off, if we put them there. Who was there before us stays.",
    )
    is_paused = forms.BooleanField(
        required=False,
        label="Paused at first",
        help_text="Nobody joins or leaves until you resume it. Good for a look before it begins.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        extension: Extension,
        audiences: Any,
        counts: Mapping[int, int],
        choices: Choices | None = None,
        **kwargs: Any,
    ) -> None:
        if data is not None and data.get("use_found"):
            data = {**_plain(data), "to": self.EXISTING, "list_id": data["use_found"]}
        super().__init__(data, **kwargs)
        self.extension, self.choices = extension, choices
        self.found: RemoteList | None = None
        field = self.fields["audience"]
        field.counts, field.queryset = counts, audiences  # type: ignore[attr-defined]

    @property
    def options(self) -> list[Option]:
        return options(self.extension, self.choices or Choices())

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("to") == self.NEW:
            self._clean_new(given)
        elif given.get("to"):
            self._clean_existing(given)
        return given

    def _clean_new(self, given: dict[str, Any]) -> None:
        name = given.get("name", "").strip()
        if not name:
            self.add_error("name", "Enter a name for the new list.")
            return
        self._refuse_clash("name", given, name=name)
        self.found = self._read().called(name)
        if self.found and "name" not in self.errors:
            words = (
                f"There is a list called “{self.found.name}” already. Use that one, or choose another name."
            )
            self.add_error("name", words)

    def _clean_existing(self, given: dict[str, Any]) -> None:
        choices = self._read()
        there = choices.find(given.get("list_id", ""))
        if choices.problem:
            self.add_error("list_id", f"The lists cannot be read now. {choices.problem}")
        elif not given.get("list_id"):
            self.add_error("list_id", "Choose a list, or make a new one.")
        elif there is None:
            self.add_error(
                "list_id", "This list is not there any more. Refresh the lists and choose another."
            )
        else:
            given["name"] = there.name
            self._refuse_clash("list_id", given, name=there.name, list_id=there.remote_id)

    def _refuse_clash(self, field: str, given: dict[str, Any], **what: str) -> None:
        if audience := given.get("audience"):
            words = list_links.clash(self.extension, audience, **what)
            if words:
                self.add_error(field, words)

    def _read(self) -> Choices:
        self.choices = list_choices.read(self.extension)
        return self.choices


def options(extension: Extension, choices: Choices) -> list[Option]:
    """All lists; of two with one name the id tells which is which."""
    rows = extension.audience_mappings.select_related("audience")
    taken = {row.list_id: row.audience.name for row in rows if row.list_id}
    names = [found.name for found in choices.lists]
    doubles = {name for name, other in pairwise(names) if name == other}
    return [
        Option(
            found.remote_id,
            f"{found.name} · {found.remote_id}" if found.name in doubles else found.name,
            taken.get(found.remote_id, ""),
        )
        for found in choices.lists
    ]


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in data}


class LeaversForm(forms.Form):
    """What becomes of those who leave the audience."""

    remove_leavers = forms.BooleanField(
        required=False,
        label="Take leavers off the list",
        help_text="Who leaves the audience is taken off, if we put them there. Who was there before us stays.",
    )


class UnlinkForm(forms.Form):
    """What becomes of those whom we put on the list."""

    how = forms.ChoiceField(
        choices=(("leave", "Leave everybody"), ("remove", "Take off"), ("keep", "Keep the list")),
        error_messages={"required": "Say what becomes of the people on the list."},
    )
