"""Where alerts go, and from when on something is worth one."""

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from integrations.models import AlertSettings
from portal.runtime import outgoing

MOST_ADDRESSES = 20


class AlertForm(forms.ModelForm):  # type: ignore[type-arg]
    addresses = forms.CharField(
        label="E-mail addresses",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One a line. Empty: the owners of this programme.",
    )
    webhook_url = forms.URLField(
        label="Webhook",
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text="Optional: an https address that is called with signed JSON for each message.",
    )

    class Meta:
        model = AlertSettings
        fields: ClassVar = [
            "webhook_url", "failed_share", "quiet_hours", "even_if_idle", "tells_recovery",
        ]  # fmt: skip
        labels: ClassVar = {
            "failed_share": "Tell me when more than so many per cent of a run fail",
            "quiet_hours": "Tell me when nothing has arrived for so many hours",
            "even_if_idle": "Also when nothing waited",
            "tells_recovery": "Say when it is right again",
        }
        help_texts: ClassVar = {
            "failed_share": "Of the rows that were tried. A run that failed as a whole is always told.",
            "quiet_hours": "While something waited. 0: never.",
            "tells_recovery": "One more message when the trouble is over.",
        }

    field_order = (
        "addresses", "webhook_url", "failed_share", "quiet_hours", "even_if_idle", "tells_recovery",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["addresses"].initial = "\n".join(self.instance.emails)

    @property
    def switches(self) -> list[forms.BoundField]:
        return [self["even_if_idle"], self["tells_recovery"]]

    def clean_addresses(self) -> list[str]:
        found = [part.lower() for part in re.split(r"[\s,;]+", self.cleaned_data["addresses"]) if part]
        for address in found:
            try:
                validate_email(address)
            except ValidationError as error:
                raise ValidationError(f"“{address}” is not an e-mail address.") from error
        if len(found) > MOST_ADDRESSES:
            raise ValidationError(f"{MOST_ADDRESSES} addresses are the most. Use one of a group.")
        return list(dict.fromkeys(found))

    def clean_webhook_url(self) -> str:
        url = str(self.cleaned_data["webhook_url"] or "").strip()
        if url:
            try:
                outgoing.check(url)
            except outgoing.AddressRefused as error:
                raise ValidationError(str(error)) from error
        return url
