"""What people fill in about audiences, beside their rules (loyalty/rule_drafts.py)."""

from typing import Any

from django import forms

from loyalty.models import Audience
from loyalty.services import audience_people, audience_saving
from portal.tenancy.models import Tenant


class AudienceForm(forms.Form):
    """Name and short name; the latter only while the audience is new."""

    name = forms.CharField(
        max_length=120,
        label="Name",
        help_text="What you and your colleagues call these people.",
        error_messages={"required": "Give the audience a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    slug = forms.SlugField(
        max_length=60,
        required=False,
        label="Short name",
        help_text="For files and the API; it cannot be changed later. Leave it empty to have it made of the name.",
        error_messages={"invalid": "Use letters, digits, hyphens and underscores only."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, tenant: Tenant, audience: Audience | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant
        if audience is not None:
            del self.fields["slug"]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if slug and Audience.objects.filter(tenant=self.tenant, slug=slug).exists():
            raise forms.ValidationError(taken(slug))
        return slug or audience_saving.free_slug(self.tenant, str(self.cleaned_data.get("name", "")))


def taken(slug: str) -> str:
    return f"Another audience has the short name “{slug}”. Choose another, or leave it empty."


class PasteForm(forms.Form):
    """People by e-mail address or id, many at once."""

    people = forms.CharField(
        label="E-mail addresses or your ids",
        help_text=f"One on each line, or with commas between. Up to {audience_people.AT_MOST:,} at once.",
        error_messages={"required": "Paste at least one e-mail address or id."},
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        max_length=1_000_000,
    )

    def clean_people(self) -> list[str]:
        found = audience_people.entries(str(self.cleaned_data["people"]))
        if not found:
            raise forms.ValidationError("Paste at least one e-mail address or id.")
        if len(found) > audience_people.AT_MOST:
            raise forms.ValidationError(
                f"These are {len(found):,}; {audience_people.AT_MOST:,} is the most at once. Do it in parts."
            )
        return found
