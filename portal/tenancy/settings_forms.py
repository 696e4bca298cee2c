"""What owners and managers fill in under Settings."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings

from portal.tenancy.models import ApiToken, Role, Tenant

ROLES = (
    (Role.VIEWER, "Viewer", "Sees everything, changes nothing. Cannot see API tokens."),
    (Role.MANAGER, "Manager", "Connects, maps, starts runs and makes API tokens."),
    (Role.OWNER, "Owner", "Also changes these settings and who is in the team."),
)


def zones() -> list[tuple[str, str]]:
    """Every zone with a place in its name, and UTC."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [(name, name.replace("_", " ")) for name in ("UTC", *sorted(places))]


class GeneralForm(forms.ModelForm):  # type: ignore[type-arg]
    timezone = forms.ChoiceField(
        label="Time zone",
        widget=forms.Select(attrs={"data-searchable": "", "data-what": "time zones"}),
        help_text="Times are shown in it, and the day begins at its midnight: expiry of points, tiers and "
        "audiences with dates follow from the next one. What was sent already stays as it is.",
    )

    class Meta:
        model = Tenant
        fields = ("name", "timezone", "currency", "keep_sent_rows_days", "keep_other_rows_days")
        labels = {
            "keep_sent_rows_days": "Keep rows that arrived, in days",
            "keep_other_rows_days": "Keep rows that did not arrive, in days",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = self.instance.timezone
        known = zones()
        self.fields["timezone"].choices = (  # type: ignore[attr-defined]
            known if any(name == present for name, _ in known) else [(present, present), *known]
        )
        self.fields["currency"].help_text = "Three letters, for example GBP. Amounts of money are in it."
        self._describe("keep_sent_rows_days", settings.KEEP_SENT_ROWS_DAYS)
        self._describe("keep_other_rows_days", settings.KEEP_OTHER_ROWS_DAYS)

    def _describe(self, name: str, days: int) -> None:
        self.fields[name].help_text = (
            f"Empty: {days:,}, as for the whole portal. Runs keep their totals; only the rows of single "
            "people go. A smaller number takes effect the next night and cannot be undone."
        )
        self.fields[name].widget.attrs["placeholder"] = f"{days:,}"

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label="Role", choices=[(role.value, label) for role, label, _ in ROLES], widget=forms.RadioSelect
    )

    def role_choices(self) -> list[dict[str, Any]]:
        """For the template: each role with what it may do, and whether it is chosen."""
        chosen = str(self["role"].value() or "")
        return [
            {"value": role.value, "label": label, "help": words, "is_chosen": role.value == chosen}
            for role, label, words in ROLES
        ]


class InviteForm(RoleForm):
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "colleague@example.com"}),
        help_text="They get a link that is good once, for seven days. Only this address can use it.",
    )
    field_order = ("email", "role")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ApiToken
        fields = ("name",)
        labels = {"name": "What is it for?"}
        help_texts = {
            "name": "A name by which you recognise it later, for example “Till in the High Street”."
        }
