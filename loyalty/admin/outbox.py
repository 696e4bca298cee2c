"""Happenings as they were written, to be told to every connection."""

import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from loyalty.admin.people import HistoryAdmin, created
from loyalty.models import OutboxEvent
from loyalty.rules.event_kinds import kind_label
from portal.admin_site import in_words, site

HISTORY = in_words("history", "Told as", "history", "news")


@admin.register(OutboxEvent, site=site)
class OutboxEventAdmin(HistoryAdmin):
    list_display = ("what", "person", "tenant_name", "occurred_at", HISTORY, "routed_at", created)
    fields = (
        "what",
        "person",
        "tenant_name",
        "payload",
        "occurred_at",
        HISTORY,
        "uid",
        "source",
        "routed_at",
        "created_at",
    )
    readonly_fields = fields

    @admin.display(description="What happened")
    def what(self, event: OutboxEvent) -> str:
        return kind_label(event.kind)

    @admin.display(description="What is told")
    def payload(self, event: OutboxEvent) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(event.properties, indent=2, ensure_ascii=False))
