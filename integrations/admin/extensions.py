"""Connections: health, account, mappings. The key goes in and never comes out."""

from typing import Any, Literal

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override

from integrations.admin.mappings import MAPPING_INLINES
from integrations.errors import DestinationError
from integrations.gateway import registry
from integrations.models import AuthMethod, Extension
from integrations.services import connections
from portal.admin_site import PortalModelAdmin, in_words, site
from portal.templatetags.portal_tags import badge, when
from portal.tenancy.secrets import DOTS

PRACTICE = in_words("is_practice", "Practice")


class ExtensionForm(forms.ModelForm):  # type: ignore[type-arg]
    new_key = forms.CharField(
        required=False,
        strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        label="New private key",
        help_text="Leave empty to keep the present one. Stored encrypted; nobody can read it again here.",
    )
    destination = forms.ChoiceField()

    class Meta:
        model = Extension
        fields = ("tenant", "destination", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "destination" in self.fields:
            self.fields["destination"] = forms.ChoiceField(choices=registry.choices())

    def clean_base_url(self) -> str:
        text = str(self.cleaned_data["base_url"]).strip()
        key = self.cleaned_data.get("destination") or self.instance.destination
        if not text or not key:
            return text
        try:
            return registry.get(key).validate_base_url(text)
        except DestinationError as error:
            raise ValidationError(error.words) from error

    def clean_new_key(self) -> str:
        text = str(self.cleaned_data["new_key"])
        key = self.cleaned_data.get("destination") or self.instance.destination
        if text and key:
            try:
                registry.get(key).validate_secret(text)
            except DestinationError as error:
                raise ValidationError(error.words) from error
        return text


@admin.register(Extension, site=site)
class ExtensionAdmin(PortalModelAdmin):
    form = ExtensionForm
    list_display = ("name", "tenant", "state", "account_name", PRACTICE, "health_reason", "checked_at")
    list_filter = ("is_active", "health", "is_practice", "destination")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name", "tenant__slug", "account_name", "=account_id")
    inlines = MAPPING_INLINES
    actions = ("check_now", "switch_off", "switch_on", "switch_on_discarding")
    autocomplete_fields = ("tenant",)
    readonly_fields = (
        "state",
        "stored_key",
        "access_token",
        "removed_at",
        "auth_method",
        "account_id",
        "account_name",
        "is_practice",
        "missing_scopes",
        "health_reason",
        "health_since",
        "checked_at",
        "active_since",
        "key",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "tenant",
                    "destination",
                    "name",
                    "state",
                    "health_reason",
                    "health_since",
                    "checked_at",
                )
            },
        ),
        ("Account", {"fields": ("account_name", "account_id", "is_practice", "missing_scopes")}),
        ("Access", {"fields": ("auth_method", "stored_key", "access_token", "removed_at", "new_key")}),
        (
            "What is sent",
            {
                "fields": (
                    "merge_policy",
                    "only_opted_in",
                    "events_enabled",
                    "throttle_share",
                    "property_prefix",
                )
            },
        ),
        ("Address", {"fields": ("base_url", "revision", "key", "active_since"), "classes": ("collapse",)}),
    )

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Extension]:
        """The secrets stay in the database; only whether there is one comes along."""
        given = ExpressionWrapper(Q(secret__isnull=False), output_field=BooleanField())
        found: QuerySet[Extension] = super().get_queryset(request).select_related("tenant")
        return found.defer("secret", "refresh_token").annotate(has_secret=given)

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The key is sent to the address, so only superusers say where that is."""
        fixed = self.readonly_fields + (("tenant", "destination") if obj else ())
        return fixed if request.user.is_superuser else (*fixed, "base_url")

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its history hangs on it: a connection is switched off, not deleted."""
        return False

    @override
    def save_model(self, request: HttpRequest, obj: Extension, form: Any, change: bool) -> None:
        """Only the fields of the form are written, so that a run in between keeps what it wrote."""
        if change:
            names = [name for name in form.changed_data if name != "new_key"]
            obj.save(update_fields=names) if names else None
            if "base_url" in names:
                self._follow_address(request, obj, str(form.initial["base_url"]))
        else:
            obj.save()
            connections.ensure_lanes(obj)
        new_key = form.cleaned_data.get("new_key")
        if new_key and connections.store_key(obj, new_key):
            self.message_user(request, "The new key is stored. Check the connection now.", messages.WARNING)

    def _follow_address(self, request: HttpRequest, extension: Extension, before: str) -> None:
        if connections.follow_address(extension, before):
            words = (
                "The address is another one, so the stored key was cleared. Enter the key for this address."
            )
            self.message_user(request, words, messages.WARNING)

    @admin.display(description="State")
    def state(self, extension: Extension) -> SafeString:
        if extension.removed_at:
            return badge("attention", "Removed on the other side")
        if not extension.is_active:
            return badge("off", "Switched off")
        return badge(
            "open" if extension.health == "unchecked" else extension.health, extension.get_health_display()
        )

    @admin.display(description="Stored key or token")
    def stored_key(self, extension: Extension) -> str:
        return DOTS if getattr(extension, "has_secret", False) else "none"

    @admin.display(description="Access token")
    def access_token(self, extension: Extension) -> SafeString | str:
        """How it lives, never what it is."""
        if extension.auth_method != AuthMethod.OAUTH or not getattr(extension, "has_secret", False):
            return "not by OAuth" if extension.auth_method != AuthMethod.OAUTH else "none"
        ends, renewed = when(extension.token_expires_at, "unknown"), when(extension.refreshed_at, "not yet")
        return format_html("Renewed by itself; ends {}, last renewed {}", ends, renewed)

    @admin.action(description="Check now", permissions=["change"])
    def check_now(self, request: HttpRequest, chosen: QuerySet[Extension]) -> None:
        for extension in chosen:
            try:
                report = connections.check(extension)
            except DestinationError as error:
                self.message_user(request, f"{extension}: {error.words}", messages.ERROR)
            else:
                self.message_user(
                    request, f"{extension}: {report.account_name} accepts us.", messages.SUCCESS
                )

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, chosen: QuerySet[Extension]) -> None:
        self._switch(request, chosen, False, "history")

    @admin.action(description="Switch on; what waited is sent as history", permissions=["change"])
    def switch_on(self, request: HttpRequest, chosen: QuerySet[Extension]) -> None:
        self._switch(request, chosen, True, "history")

    @admin.action(description="Switch on; what waited is discarded", permissions=["change"])
    def switch_on_discarding(self, request: HttpRequest, chosen: QuerySet[Extension]) -> None:
        self._switch(request, chosen, True, "discard")

    def _switch(
        self,
        request: HttpRequest,
        chosen: QuerySet[Extension],
        active: bool,
        waiting: Literal["history", "discard"],
    ) -> None:
        for extension in chosen:
            try:
                connections.set_active(extension, active, waiting=waiting)
            except DestinationError as error:
                self.message_user(request, error.words, messages.ERROR)
            else:
                self.message_user(request, f"{extension} is {'on' if active else 'off'}.", messages.SUCCESS)
