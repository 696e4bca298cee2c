"""What people fill in to start runs and to switch connections."""

from collections.abc import Mapping
from typing import Any

from django import forms

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.models import Extension, RunKind
from portal.tenancy.models import Tenant


class ReasonForm(forms.Form):
    """Why somebody asks for it: kept with the run."""

    reason = forms.CharField(
        max_length=300,
        required=False,
        label="Why? (optional)",
        help_text="Kept with the run, so that others can see later what it was for.",
    )


class StartForm(ReasonForm):
    KINDS = (
        (
            RunKind.CHANGES,
            "Changes",
            "Members and events that changed since they were last sent. Usually seconds.",
        ),
        (
            RunKind.FULL,
            "Everything",
            "Compares every member and every list, and sends what differs. Nothing that is up to date is sent again.",
        ),
        (
            RunKind.AUDIENCES,
            "Audiences and lists",
            "Refreshes audiences and brings the lists in line with them.",
        ),
        (RunKind.EVENTS, "Events", "Sends events that are due."),
    )

    extension = forms.ModelChoiceField(Extension.objects.none(), label="Connection", empty_label=None)
    kind = forms.ChoiceField(
        choices=[(kind.value, label) for kind, label, _ in KINDS],
        initial=RunKind.CHANGES.value,
        label="What to send",
    )
    field_order = ("extension", "kind", "reason")

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = Extension.objects.for_tenant(tenant).active().defer("secret")
        field = self.fields["extension"]
        field.queryset = active  # type: ignore[attr-defined]
        found = list(active[:2])
        self.has_connection = bool(found)
        if len(found) == 1:
            field.widget = forms.HiddenInput()
            field.initial = found[0].pk
        self.fields["reason"].widget.attrs["placeholder"] = "For example: after the price change"

    @property
    def kinds(self) -> list[dict[str, Any]]:
        chosen = str(self["kind"].value() or RunKind.CHANGES.value)
        return [
            {"value": kind.value, "label": label, "help": text, "is_chosen": kind.value == chosen}
            for kind, label, text in self.KINDS
        ]


class SwitchForm(forms.Form):
    """On or off; on asks what to do with the events that waited."""

    WAITING = (
        ("history", "Send them as history", "They reach the profiles, but start no flow and no e-mail."),
        (
            "discard",
            "Discard them",
            "Points and tiers are right all the same; only these events are never told.",
        ),
    )
    active = forms.TypedChoiceField(choices=(("1", "on"), ("0", "off")), coerce=lambda text: text == "1")
    waiting = forms.ChoiceField(
        choices=[(value, label) for value, label, _ in WAITING], required=False, initial="history"
    )


class KeyForm(forms.Form):
    """A private key goes in and never comes out: no answer holds what was typed."""

    key = forms.CharField(
        max_length=500,
        label="New private key",
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Paste the key here."},
    )

    def __init__(self, given: Mapping[str, Any] | None = None, *, extension: Extension) -> None:
        super().__init__(given, prefix=f"key-{extension.pk}")
        self.destination = registry.get(extension.destination)
        kept = "It is stored encrypted, and nobody can read it again here."
        self.fields["key"].help_text = f"{self.destination.key_help} {kept}"

    def clean_key(self) -> str:
        try:
            return self.destination.validate_secret(str(self.cleaned_data["key"]))
        except ConfigurationError as error:
            raise forms.ValidationError(error.words) from error
