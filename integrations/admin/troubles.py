"""Trouble and what people did about it: incidents, alerts, failures put aside. All of it is history."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from typing_extensions import override

from integrations.models import (
    AlertMessage,
    AlertSettings,
    Dismissal,
    FailureCare,
    Incident,
    RetiredProperty,
)
from portal.admin_site import ReadOnlyAdmin, number, site
from portal.templatetags.portal_tags import badge

OF_CONNECTION = ("extension__tenant",)
SECRETS = ("extension__secret", "extension__refresh_token")


class OfConnectionAdmin(ReadOnlyAdmin):
    """Rows of a connection, without its secrets."""

    list_select_related: ClassVar[tuple[str, ...]] = OF_CONNECTION
    sortable_by = ()

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        return found.select_related(*self.list_select_related).defer(*SECRETS)

    @admin.display(description="Programme")
    def tenant(self, row: Any) -> str:
        return str(row.extension.tenant)


@admin.register(Incident, site=site)
class IncidentAdmin(OfConnectionAdmin):
    list_display = ("state", number, "kind", "tenant", "extension", "words", "opened_at", "closed_at")
    list_display_links = (number,)
    list_filter = ("kind",)
    list_select_related = OF_CONNECTION
    ordering = ("-pk",)
    fields = ("state", "kind", "tenant", "extension", "run", "words", "opened_at", "closed_at")
    readonly_fields = ("state", "tenant")

    @admin.display(description="State")
    def state(self, incident: Incident) -> SafeString:
        return badge("ok", "Over") if incident.closed_at else badge("attention", "Open")


@admin.register(AlertMessage, site=site)
class MessageAdmin(ReadOnlyAdmin):
    label = "Alerts sent"
    list_display = ("state", number, "incident", "channel", "target", "attempts", "words", "created_at")
    list_display_links = (number,)
    list_select_related = ("incident__extension",)
    sortable_by = ()
    ordering = ("-pk",)
    fields = ("state", "incident", "is_recovery", "channel", "target", "attempts", "not_before", "sent_at",
              "given_up_at", "words", "created_at")  # fmt: skip
    readonly_fields = ("state",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertMessage]:
        found: QuerySet[AlertMessage] = super().get_queryset(request)
        hidden = ("incident__extension__secret", "incident__extension__refresh_token")
        return found.select_related(*self.list_select_related).defer(*hidden)

    @admin.display(description="State")
    def state(self, message: AlertMessage) -> SafeString:
        if message.sent_at:
            return badge("sent", "Sent")
        return badge("bad", "Gave up") if message.given_up_at else badge("open", "Waiting")


@admin.register(AlertSettings, site=site)
class AlertSettingsAdmin(ReadOnlyAdmin):
    """Read here, changed by the merchant: the addresses are theirs. The webhook's secret stays out."""

    group = "Connections"
    label = "Alert settings"
    list_display = ("tenant", "emails", "webhook_url", "failed_share", "quiet_hours")
    list_select_related = ("tenant",)
    sortable_by = ()
    fields = (
        "tenant",
        "emails",
        "webhook_url",
        "failed_share",
        "quiet_hours",
        "even_if_idle",
        "tells_recovery",
    )

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertSettings]:
        found: QuerySet[AlertSettings] = super().get_queryset(request)
        return found.select_related("tenant").defer("webhook_secret")


@admin.register(RetiredProperty, site=site)
class RetiredPropertyAdmin(OfConnectionAdmin):
    label = "Properties being cleared"
    list_display = ("property", "tenant", "extension", "created_at")
    list_select_related = OF_CONNECTION
    fields = ("property", "tenant", "extension", "created_at")
    readonly_fields = ("tenant",)


@admin.register(Dismissal, site=site)
class DismissalAdmin(OfConnectionAdmin):
    label = "Failures put aside"
    list_display = (number, "code", "tenant", "extension", "rows", "note", "by", "created_at")
    list_select_related: ClassVar[tuple[str, ...]] = (*OF_CONNECTION, "by")
    fields = ("code", "tenant", "extension", "rows", "note", "by", "created_at")
    readonly_fields = ("tenant",)


@admin.register(FailureCare, site=site)
class FailureCareAdmin(OfConnectionAdmin):
    label = "Who takes care of failures"
    list_display = (number, "code", "tenant", "extension", "owner", "note", "updated_at")
    list_select_related: ClassVar[tuple[str, ...]] = (*OF_CONNECTION, "owner")
    ordering = ("-pk",)
    fields = ("code", "tenant", "extension", "owner", "note", "updated_at")
    readonly_fields = ("tenant",)
