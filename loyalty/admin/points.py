"""The ledger, to be read: entries, and the lots they fill and use."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from typing_extensions import override

from loyalty.admin.people import HistoryAdmin, created
from loyalty.models import LotUse, PointsEntry, PointsLot
from portal.admin_site import site


@admin.register(PointsEntry, site=site)
class PointsEntryAdmin(HistoryAdmin):
    list_display = (
        "signed",
        "kind",
        "person",
        "tenant_name",
        "balance_after",
        "reason",
        "order_ref",
        "created_by",
        created,
    )
    list_filter = ("kind",)
    fields = (
        "person", "tenant_name", "kind", "points", "balance_after", "reason", "order_ref", "occurred_at", "expires_at",
        "lots_used", "created_by", "created_at", "idempotency_key",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Points")
    def signed(self, entry: PointsEntry) -> str:
        return f"{entry.points:+,}"

    @admin.display(description="Taken from")
    def lots_used(self, entry: PointsEntry) -> SafeString | str:
        uses = LotUse.objects.filter(entry=entry).select_related("lot").order_by("lot_id")[:100]
        listed = format_html_join("", "{} of lot {}<br>", ((use.points, use.lot_id) for use in uses))
        return listed or "–"


@admin.register(PointsLot, site=site)
class PointsLotAdmin(HistoryAdmin):
    list_display = ("name", "person", "tenant_name", "points", "remaining", "expires_at", "came_in")
    list_select_related = ("member__tenant", "entry")
    fields = ("name", "person", "tenant_name", "points", "remaining", "expires_at", "came_in", "reason")
    readonly_fields = fields

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[PointsLot]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description="Lot")
    def name(self, lot: PointsLot) -> str:
        return f"Lot {lot.pk}"

    @admin.display(description="Came in")
    def came_in(self, lot: PointsLot) -> SafeString | str:
        return created(lot.entry)

    @admin.display(description="Reason")
    def reason(self, lot: PointsLot) -> str:
        return lot.entry.reason
