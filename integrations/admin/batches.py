"""Batches: what was sent together, without the bodies."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from typing_extensions import override

from integrations.admin import columns
from integrations.models import SyncBatch
from portal.admin_site import ReadOnlyAdmin, number, site
from portal.templatetags.portal_tags import badge


@admin.register(SyncBatch, site=site)
class BatchAdmin(ReadOnlyAdmin):
    label = "Batches"
    list_display = (
        "stands",
        number,
        "of_run",
        "tenant",
        "kind",
        "lane",
        "rows",
        "attempts",
        "words",
        columns.created,
    )
    list_display_links = (number,)
    list_filter = ("state", "kind", "lane")
    list_select_related = ("run__extension__tenant",)
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("of_run", "lane", "kind", "state", "rows", "job_id", "attempts", "polls", "calls", "code", "words",
              "not_before", "lease_until", "created_at", "accepted_at", "settled_at")  # fmt: skip
    readonly_fields = ("of_run",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncBatch]:
        heavy = ("body", "manifest", "member_ids", "delivery_ids")
        found = super().get_queryset(request).select_related(*self.list_select_related)
        return found.defer(*heavy, *columns.HEAVY_OF_RUN)

    @admin.display(description="State")
    def stands(self, batch: SyncBatch) -> SafeString:
        return badge(batch.state, batch.get_state_display())

    @admin.display(description="Run")
    def of_run(self, batch: SyncBatch) -> SafeString:
        return columns.run_link(batch.run)

    @admin.display(description="Programme")
    def tenant(self, batch: SyncBatch) -> str:
        return batch.run.extension.tenant.name
