"""What people fill in about events: the name of a metric, and where to send a sample."""

from collections.abc import Mapping
from typing import Any

from django import forms

from integrations.errors import DestinationError
from integrations.gateway import registry
from integrations.models import Extension
from integrations.services import event_mappings, sample_events
from portal.tenancy.models import User


class MetricForm(forms.Form):
    """The name of an event at the destination."""

    metric = forms.CharField(max_length=127, label="Metric")

    def __init__(self, *args: Any, extension: Extension, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.extension, self.kind = extension, kind

    def clean_metric(self) -> str:
        metric = str(self.cleaned_data["metric"])
        try:
            event_mappings.refuse_metric(self.extension, self.kind, metric)
        except DestinationError as error:
            raise forms.ValidationError(error.words) from error
        return metric


class SampleForm(forms.Form):
    """Whose profile gets the sample."""

    email = forms.EmailField(label="Test address", max_length=254)

    def __init__(self, given: Mapping[str, Any] | None, *, extension: Extension, user: User) -> None:
        super().__init__(given, initial={"email": user.email})
        self.extension, self.user = extension, user
        self.fields["email"].help_text = registry.get(extension.destination).sample_help

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        try:
            sample_events.refuse_address(self.extension, email, self.user)
        except DestinationError as error:
            raise forms.ValidationError(error.words) from error
        return email
