"""What people fill in to make, connect, set and switch connections."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import format_html

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.models import AuthMethod, Extension, MergePolicy
from integrations.services import connection_stories
from loyalty.fields import STANDARD_PROPERTIES
from portal.runtime.outgoing import is_this_machine


class NewForm(forms.Form):
    """Which destination, and what the connection is called here."""

    destination = forms.ChoiceField(label="Type", widget=forms.RadioSelect)
    name = forms.CharField(
        max_length=100,
        label="Name",
        help_text="What this portal calls it, on pages and in messages. You can change it later.",
        error_messages={"required": "Give it a name."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = registry.choices()
        self.fields["destination"] = forms.ChoiceField(choices=kinds, label="Type")
        self.fields["destination"].initial = kinds[0][0] if kinds else ""


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


class _KeyField(forms.CharField):
    """A private key goes in and never comes out: no answer holds what was typed."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "spellcheck": "false"}
        super().__init__(
            max_length=500,
            widget=forms.PasswordInput(render_value=False, attrs=attrs),
            error_messages={"required": "Paste the key here."},
            **kwargs,
        )


def _valid_key(extension: Extension, text: str) -> str:
    try:
        return registry.get(extension.destination).validate_secret(text)
    except ConfigurationError as error:
        raise forms.ValidationError(error.words) from error


def _key_help(extension: Extension) -> str:
    where = registry.get(extension.destination).key_help
    return f"{where} It is stored encrypted, and nobody can read it again here."


class KeyForm(forms.Form):
    """Another key for a connection that has one."""

    key = _KeyField(label="New private key")

    def __init__(self, given: Mapping[str, Any] | None = None, *, extension: Extension) -> None:
        super().__init__(given)
        self.extension = extension
        self.fields["key"].help_text = _key_help(extension)

    def clean_key(self) -> str:
        return _valid_key(self.extension, str(self.cleaned_data["key"]))


class ConnectForm(forms.Form):
    """How to sign in, with what, and where the API is. `is_offered`: OAuth can be chosen."""

    way = forms.ChoiceField(choices=AuthMethod.choices, label="How to connect")
    key = _KeyField(label="Private key", required=False)
    base_url = forms.CharField(max_length=200, required=False, label="API address")
    revision = forms.RegexField(
        r"^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$",
        max_length=20,
        required=False,
        label="API revision",
        error_messages={"invalid": "A revision is a date, such as 2026-07-15."},
    )

    def __init__(
        self, given: Mapping[str, Any] | None = None, *, extension: Extension, is_offered: bool
    ) -> None:
        usual = extension.auth_method if extension.account_id else AuthMethod.OAUTH
        way = usual if is_offered else AuthMethod.PRIVATE_KEY
        start = {"way": way, "base_url": extension.base_url, "revision": extension.revision}
        super().__init__(given, initial=start)
        self.extension = extension
        self.is_offered = is_offered
        destination = registry.get(extension.destination)
        self.fields["key"].help_text = _key_help(extension)
        address = "Empty: {}, as it is set for this portal. At another address the stored key is forgotten."
        self.fields["base_url"].help_text = format_html(address, destination.default_base_url())
        self.fields["base_url"].widget.attrs["placeholder"] = destination.default_base_url()
        self.fields[
            "revision"
        ].help_text = f"Empty: {destination.default_revision()}, as it is set for this portal."
        self.fields["revision"].widget.attrs["placeholder"] = destination.default_revision()

    def clean_way(self) -> str:
        way = str(self.cleaned_data["way"])
        if way == AuthMethod.OAUTH and not self.is_offered:
            raise forms.ValidationError("Signing in is not set up in this portal. Use a private key.")
        return way

    def clean_base_url(self) -> str:
        """An address on this machine only where the whole portal practises there: a merchant has no business
        with what else listens on it."""
        text = str(self.cleaned_data["base_url"])
        destination = registry.get(self.extension.destination)
        try:
            address = destination.validate_base_url(text) if text else ""
        except ConfigurationError as error:
            raise forms.ValidationError(error.words) from error
        is_new = address != self.extension.base_url
        if is_new and is_this_machine(address) and not is_this_machine(destination.default_base_url()):
            raise forms.ValidationError("An address on this machine is set by the staff of this portal.")
        return address

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("way") != AuthMethod.PRIVATE_KEY:
            return found
        try:
            if not found.get("key"):
                raise forms.ValidationError("Paste the key here.")
            found["key"] = _valid_key(self.extension, str(found["key"]))
        except forms.ValidationError as error:
            self.add_error("key", error)
        return found

    @property
    def chosen(self) -> str:
        return str(self["way"].value() or "")


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """How a connection behaves; nothing of how it signs in."""

    class Meta:
        model = Extension
        fields = (
            "name",
            "merge_policy",
            "only_opted_in",
            "events_enabled",
            "throttle_share",
            "property_prefix",
        )

    name = forms.CharField(max_length=100, label="Name")
    merge_policy = forms.ChoiceField(
        choices=MergePolicy.choices, required=False, label="Who wins when a profile has a value already"
    )
    only_opted_in = forms.BooleanField(required=False, label="Send only members who allowed marketing")
    events_enabled = forms.BooleanField(required=False, label="Send events")
    throttle_share = forms.IntegerField(
        min_value=1,
        max_value=100,
        label="Share of the permitted rate, per cent",
        help_text="How much of what may be sent per minute this portal uses; the rest is for your other tools.",
    )
    property_prefix = forms.CharField(
        max_length=40, required=False, strip=False, label="Prefix of new properties"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sample = STANDARD_PROPERTIES[0][1]
        self.fields["property_prefix"].help_text = (
            f"Put before the names of properties that are mapped from now on: with “Loyalty: ” a new one is called "
            f"“Loyalty: {sample}”. Properties that are mapped already keep their names."
        )

    def clean_property_prefix(self) -> str:
        prefix = str(self.cleaned_data["property_prefix"]).lstrip()
        try:
            registry.get(self.instance.destination).validate_property(f"{prefix}x")
        except ConfigurationError as error:
            raise forms.ValidationError(error.words) from error
        return prefix

    def _post_clean(self) -> None:
        """The service stores; the row stays as it was read, so that the service sees what differs."""

    @property
    def policies(self) -> list[dict[str, Any]]:
        chosen = str(self["merge_policy"].value() or "")
        return [
            {
                "value": value,
                "label": label,
                "help": connection_stories.POLICIES[value],
                "is_chosen": value == chosen,
            }
            for value, label in MergePolicy.choices
        ]
