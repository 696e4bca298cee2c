"""Tiers, and who moved between them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from typing_extensions import override

from loyalty.admin.people import HistoryAdmin
from loyalty.models import Tier, TierChange
from loyalty.rules.tiers import Step
from loyalty.services import tiers
from portal.admin_site import PortalModelAdmin, site
from portal.runtime.queue import enqueue
from portal.templatetags.portal_tags import when


class TierForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Tier
        fields = ("tenant", "slug", "name", "threshold")

    def clean_threshold(self) -> int:
        threshold = int(self.cleaned_data["threshold"])
        if threshold > 2**53:
            raise ValidationError("No balance can reach this.")
        return threshold


@admin.register(Tier, site=site)
class TierAdmin(PortalModelAdmin):
    form = TierForm
    list_display = ("name", "tenant", "slug", "threshold")
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    search_fields = ("name", "slug", "tenant__name")
    autocomplete_fields = ("tenant",)
    ordering = ("tenant__name", "threshold")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The short name is what rules and configuration files call it."""
        return ("tenant", "slug") if obj else ()

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History names it: a tier that has ever held a member stays."""
        if obj is None or Tier.objects.filter(pk=obj.pk, members__isnull=False).exists():
            return False
        is_told = (
            TierChange.objects.filter(before=obj).exists() or TierChange.objects.filter(after=obj).exists()
        )
        return not is_told and super().has_delete_permission(request, obj)

    @override
    def save_model(self, request: HttpRequest, obj: Tier, form: Any, change: bool) -> None:
        tiers.define(obj.tenant, [Step(obj.slug, obj.name, obj.threshold)])
        obj.pk = Tier.objects.values_list("pk", flat=True).get(tenant=obj.tenant, slug=obj.slug)
        enqueue("loyalty.tasks.move_tiers", obj.tenant_id, lane="bulk")
        self.message_user(request, "Members move to the tiers that fit them within some minutes.")


@admin.register(TierChange, site=site)
class TierChangeAdmin(HistoryAdmin):
    list_display = ("move", "person", "tenant_name", "reason", "moved")
    list_select_related = ("member__tenant", "before", "after")
    fields = ("move", "person", "tenant_name", "reason", "changed_at")
    readonly_fields = fields

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[TierChange]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description="Move")
    def move(self, change: TierChange) -> str:
        return f"{change.before or 'no tier'} → {change.after or 'no tier'}"

    @admin.display(description="When")
    def moved(self, change: TierChange) -> SafeString | str:
        return when(change.changed_at)
