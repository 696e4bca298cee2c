"""What members allowed, act by act."""

from django.contrib import admin

from loyalty.admin.people import HistoryAdmin
from loyalty.models import ConsentRecord
from portal.admin_site import site


@admin.register(ConsentRecord, site=site)
class ConsentRecordAdmin(HistoryAdmin):
    list_display = ("channel", "status", "person", "tenant_name", "source", "text_version", "given_at")
    list_filter = ("channel", "status")
    fields = (
        "person",
        "tenant_name",
        "channel",
        "status",
        "source",
        "text_version",
        "given_at",
        "recorded_at",
    )
    readonly_fields = fields
