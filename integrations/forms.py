"""What people fill in to start runs."""

from typing import Any

from django import forms

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
        active = Extension.objects.for_tenant(tenant).active().defer("secret", "refresh_token")
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
