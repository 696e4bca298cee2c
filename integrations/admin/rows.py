"""Rows: one person across all runs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from typing_extensions import override

from integrations.admin import columns
from integrations.admin.filters import OutcomeFilter
from integrations.models import SyncRow
from integrations.services import run_stories
from loyalty.admin.people import SEARCH_HELP, people
from portal.admin_site import ReadOnlyAdmin, site
from portal.templatetags.portal_tags import badge


@admin.register(SyncRow, site=site)
class RowAdmin(ReadOnlyAdmin):
    label = "Rows: one person across runs"
    list_display = ("outcome", "person", "of_run", "what_it_was", "reason", columns.created)
    list_filter = (OutcomeFilter,)
    list_select_related = ("run__extension__tenant", "member")
    search_fields = ("member__email",)
    search_help_text = SEARCH_HELP
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("outcome", "person", "tenant", "of_run", "what_it_was", "code", "words", "changed", "healed_at", "aside",
              "created_at")  # fmt: skip
    readonly_fields = fields

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncRow]:
        return (
            super()
            .get_queryset(request)
            .select_related(*self.list_select_related)
            .defer(*columns.HEAVY_OF_RUN)
        )

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """First the people, by index; then their rows, newest first."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(member__in=people(search_term)), False

    @admin.display(description="Verdict")
    def outcome(self, row: SyncRow) -> SafeString:
        return badge(row.verdict, row.get_verdict_display())

    @admin.display(description="Member")
    def person(self, row: SyncRow) -> SafeString:
        under = row.member.email or row.member.phone or row.member.external_id
        return format_html('{}<span class="under">{}</span>', row.member, under)

    @admin.display(description="Put aside", empty_value="no")
    def aside(self, row: SyncRow) -> str | None:
        """By whom and why, where a person put the failure aside."""
        if row.dismissal is None:
            return None
        return f"{row.dismissal.by or 'Somebody'}: {row.dismissal.note}"

    @admin.display(description="Programme")
    def tenant(self, row: SyncRow) -> str:
        return row.run.extension.tenant.name

    @admin.display(description="Run")
    def of_run(self, row: SyncRow) -> SafeString:
        name = row.run.extension.tenant.name
        return format_html('{}<span class="under">{}</span>', columns.run_link(row.run), name)

    @admin.display(description="What")
    def what_it_was(self, row: SyncRow) -> str:
        return " · ".join(part for part in (row.get_action_display(), row.what) if part)

    @admin.display(description="Reason")
    def reason(self, row: SyncRow) -> str:
        return row.words if len(row.words) < 120 else f"{row.words[:117]}…"

    @admin.display(description="What changed")
    def changed(self, row: SyncRow) -> SafeString:
        found = run_stories.changes(row.changes)
        return format_html_join(
            "", "{}: {} → {}<br>", ((one.property, one.before, one.after) for one in found)
        )
