"""What the support desk asks: who takes a cause, what to note, why it is put aside."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from portal.tenancy.models import User


def staff() -> QuerySet[User]:
    """Who may be given a cause."""
    return User.objects.filter(is_staff=True, is_active=True).order_by("email")


class CareForm(forms.Form):
    owner = forms.ModelChoiceField(
        User.objects.none(), required=False, label="Who takes care", empty_label="Nobody"
    )
    note = forms.CharField(
        max_length=500,
        required=False,
        label="Note for the next person",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = staff()  # type: ignore[attr-defined]


class DismissForm(forms.Form):
    note = forms.CharField(
        max_length=500,
        label="Why?",
        help_text="Kept with your name in the audit trail.",
        error_messages={"required": "Say in a few words why these need nobody."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
