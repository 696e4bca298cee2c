"""Finding people, and lists of what happened to them: shared by the history pages."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override

from loyalty.services import members
from portal.admin_site import ReadOnlyAdmin
from portal.templatetags.portal_tags import when
from portal.tenancy.models import Tenant

FOUND_AT_MOST = 200
SEARCH_HELP = "A person: the beginning of the name, e-mail address or phone number, or the whole external id."


def people(text: str) -> list[int]:
    """Keys of the members that a person means by this text, of every tenant."""
    tenants = list(Tenant.objects.values_list("pk", flat=True))
    return [row["pk"] for row in members.find(tenants, text)[:FOUND_AT_MOST]]


class HistoryAdmin(ReadOnlyAdmin):
    """History of members: newest first, found by person."""

    list_select_related: ClassVar[tuple[str, ...]] = ("member__tenant",)
    search_fields = ("member__email",)
    search_help_text = SEARCH_HELP
    ordering = ("-pk",)
    sortable_by = ()

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """First the people, by index; then their rows."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(member__in=people(search_term)), False

    @admin.display(description="Member")
    def person(self, row: Any) -> SafeString:
        return format_html(
            '<a href="{}">{}</a><span class="under">{}</span>',
            reverse("admin:loyalty_member_change", args=[row.member_id]),
            row.member,
            row.member.email or row.member.phone or row.member.external_id,
        )

    @admin.display(description="Programme")
    def tenant_name(self, row: Any) -> str:
        return str(row.member.tenant.name)


@admin.display(description="When", ordering="pk")
def created(row: Any) -> SafeString | str:
    return when(row.created_at)
