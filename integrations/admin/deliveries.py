"""Events on their way, and people to be forgotten."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from typing_extensions import override

from integrations.models import Delivery, Erasure
from loyalty.rules.event_kinds import kind_label
from portal.admin_site import ReadOnlyAdmin, in_words, number, site
from portal.templatetags.portal_tags import badge

HISTORY = in_words("history", "Told as", "history", "news")


@admin.register(Delivery, site=site)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("stands", number, "happening", "person", "tenant", HISTORY, "words", "settled_at")
    list_display_links = (number,)
    list_filter = ("state", "history")
    list_select_related = ("extension__tenant", "event__member")
    ordering = ("-pk",)
    sortable_by = ()
    fields = (
        "extension",
        "happening",
        "person",
        HISTORY,
        "state",
        "not_before",
        "code",
        "words",
        "settled_at",
    )
    readonly_fields = ("happening", "person", HISTORY)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        found = super().get_queryset(request).select_related(*self.list_select_related)
        return found.defer("extension__secret", "extension__refresh_token", "event__properties")

    @admin.display(description="State")
    def stands(self, delivery: Delivery) -> SafeString:
        return badge(delivery.state, delivery.get_state_display())

    @admin.display(description="Event")
    def happening(self, delivery: Delivery) -> str:
        return kind_label(delivery.event.kind)

    @admin.display(description="Member")
    def person(self, delivery: Delivery) -> str:
        return str(delivery.event.member)

    @admin.display(description="Programme")
    def tenant(self, delivery: Delivery) -> str:
        return delivery.extension.tenant.name


@admin.register(Erasure, site=site)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = (number, "extension", "requested_at", "attempts", "done_at", "words")
    list_select_related = ("extension__tenant",)
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("extension", "requested_at", "not_before", "attempts", "done_at", "words")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Erasure]:
        return (
            super()
            .get_queryset(request)
            .defer("identifiers", "extension__secret", "extension__refresh_token")
        )
