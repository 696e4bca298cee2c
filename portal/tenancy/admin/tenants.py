"""Tenants, and who belongs to them."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from typing_extensions import override

from portal.admin_site import PortalModelAdmin, PortalTabularInline, site
from portal.tenancy.models import Membership, Tenant


class MembershipInline(PortalTabularInline):
    model = Membership
    fields = ("user", "tenant", "role")
    autocomplete_fields = ("user", "tenant")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user", "tenant")


@admin.register(Tenant, site=site)
class TenantAdmin(PortalModelAdmin):
    list_display = ("name", "slug", "people", "tokens", "timezone", "currency", "created_at")
    list_select_related = ()
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        counts = {
            "people_count": Count("memberships", distinct=True),
            "token_count": Count("api_tokens", distinct=True),
        }
        found: QuerySet[Tenant] = super().get_queryset(request).annotate(**counts)
        return found

    @override
    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj or not self.has_change_permission(request, obj) else dict(self.prepopulated_fields)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A programme and its history are not deleted by a click."""
        return False

    @override
    def view_on_site(self, obj: Tenant) -> str:
        return reverse("overview", args=[obj.slug])

    @admin.display(description="People", ordering="people_count")
    def people(self, tenant: Any) -> int:
        return int(tenant.people_count)

    @admin.display(description="API tokens", ordering="token_count")
    def tokens(self, tenant: Any) -> int:
        return int(tenant.token_count)


@admin.register(Membership, site=site)
class MembershipAdmin(PortalModelAdmin):
    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__name", "tenant__slug")
    autocomplete_fields = ("user", "tenant")
