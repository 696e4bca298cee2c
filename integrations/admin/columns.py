"""Columns that several lists share."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.models import SyncRun
from portal.templatetags.portal_tags import badge, when

HEAVY_OF_RUN = (
    "run__mappings",
    "run__member_ids",
    "run__delivery_ids",
    "run__extension__secret",
    "run__extension__refresh_token",
)


@admin.display(description="Status", ordering="status")
def status(run: SyncRun) -> SafeString:
    return badge(run.status, run.get_status_display())


def run_link(run: SyncRun) -> SafeString:
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:integrations_syncrun_change", args=[run.pk]), run
    )


@admin.display(description="When", ordering="pk")
def created(row: Any) -> SafeString | str:
    return when(row.created_at)
