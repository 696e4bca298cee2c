"""What staff fill in about one member: the profile, and a correction of points."""

import uuid
from typing import Any

from django import forms
from typing_extensions import override

from loyalty.models import Member
from loyalty.rules import member_input
from loyalty.rules.ledger_entries import MAX_POINTS
from loyalty.rules.member_input import MemberInput

# Fields of the form that have the names of the API.
TOLD = (
    "email", "phone", "first_name", "last_name", "locale", "address1", "address2", "city", "region", "zip",
    "country", "timezone", "state", "enrolled_at", "referral_code", "referral_url", "tags", "attributes",
)  # fmt: skip


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """The same rules as the API's: `told` is what changed, as a service takes it."""

    birthday = forms.CharField(required=False, help_text="1990-05-17, or 05-17 where the year is not known.")

    class Meta:
        model = Member
        fields = TOLD

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told: MemberInput | None = None
        self.warnings: tuple[str, ...] = ()
        self.fields["birthday"].initial = birthday_of(self.instance)
        if "tags" in self.fields:
            self.fields["tags"].required = False

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        changed = {name: cleaned[name] for name in self.changed_data if name in cleaned}
        if changed.get("enrolled_at"):
            changed["enrolled_at"] = changed["enrolled_at"].isoformat()
        if isinstance(changed.get("attributes"), dict):
            # The whole of them is edited, and the service merges: what is gone is told as null.
            gone = self.initial.get("attributes", {}).keys() - changed["attributes"].keys()
            changed["attributes"] |= dict.fromkeys(gone)
        # A phone number is read in its member's country.
        if "phone" in changed and "country" in cleaned:
            changed["country"] = cleaned["country"]
        self.told, errors, self.warnings = member_input.parse(
            {"external_id": self.instance.external_id, **changed}
        )
        for error in errors:
            name, _, sentence = error.partition(": ")
            self.add_error(name if name in self.fields else None, sentence)
        return cleaned

    def _post_clean(self) -> None:
        """The service writes, with the checks of the API; the instance stays as it is."""


def birthday_of(member: Member) -> str:
    if not member.birth_month or not member.birth_day:
        return ""
    year = f"{member.birth_year}-" if member.birth_year else ""
    return f"{year}{member.birth_month:02}-{member.birth_day:02}"


class AdjustForm(forms.Form):
    """A correction by hand. `key` is made with the empty form, so that a second click counts once."""

    points = forms.IntegerField(
        min_value=-MAX_POINTS,
        max_value=MAX_POINTS,
        help_text="Signed: 50 gives fifty points, -50 takes them.",
    )
    reason = forms.CharField(max_length=300, help_text="Kept with the entry, and told in the event.")
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, balance: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.balance = balance

    def clean_points(self) -> int:
        points = int(self.cleaned_data["points"])
        if points == 0:
            raise forms.ValidationError("0 changes nothing.")
        return points

    @property
    def new_balance(self) -> int:
        return self.balance + int(self.cleaned_data["points"])
