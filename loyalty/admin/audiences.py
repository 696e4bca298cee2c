"""Audiences, their rules, and who is in them since when."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString
from typing_extensions import override

from loyalty import audience_query
from loyalty.admin.people import HistoryAdmin
from loyalty.models import Audience, AudienceMember
from loyalty.rules.audience_rules import RuleError
from loyalty.services import audiences
from loyalty.services.results import StaticResult
from portal.admin_site import PortalModelAdmin, in_words, site
from portal.runtime.queue import enqueue
from portal.templatetags.portal_tags import when

NAMED_AT_MOST = 5_000
FOLLOWS = in_words("is_static", "Who belongs", "named by hand or API", "whoever fits the rule")


class ExternalIds(forms.CharField):
    """External ids of members, a line each or with commas between."""

    widget = forms.Textarea

    @override
    def clean(self, value: Any) -> Any:
        names = [name.strip() for name in re.split(r"[\n,;]", super().clean(value))]
        names = list(dict.fromkeys(name for name in names if name))
        if len(names) > NAMED_AT_MOST:
            raise ValidationError(f"At most {NAMED_AT_MOST} at once. Use the API for more.")
        return names


class RuleField(forms.JSONField):
    """No rule is an empty field, not the word null."""

    @override
    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class AudienceForm(forms.ModelForm):  # type: ignore[type-arg]
    add = ExternalIds(required=False, label="Members to add", help_text="Their external ids, a line each.")
    remove = ExternalIds(
        required=False, label="Members to remove", help_text="Their external ids, a line each."
    )

    class Meta:
        model = Audience
        fields = ("tenant", "slug", "name", "is_static", "rule")
        field_classes: ClassVar[dict[str, Any]] = {"rule": RuleField}
        help_texts: ClassVar[dict[str, str]] = {
            "rule": 'For example {"all": [{"field": "points_balance", "op": "at_least", "value": 1000}, '
            '{"field": "city", "op": "equals", "value": "Leeds"}]}. Empty for a static audience.'
        }

    def clean_rule(self) -> Any:
        rule = self.cleaned_data.get("rule")
        if rule is not None:
            try:
                audience_query.parse(rule)
            except RuleError as error:
                raise ValidationError(list(error.problems)) from error
        return rule

    @override
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_static = cleaned.get("is_static", self.instance.is_static)
        if "rule" in cleaned and is_static and cleaned["rule"] is not None:
            self.add_error("rule", "A static audience has no rule. Empty this field.")
        if "rule" in cleaned and not is_static and cleaned["rule"] is None:
            self.add_error("rule", "Say who belongs, or make the audience static.")
        return cleaned


@admin.register(Audience, site=site)
class AudienceAdmin(PortalModelAdmin):
    form = AudienceForm
    list_display = ("name", "tenant", "slug", FOLLOWS, "members", "refreshed_at")
    list_filter = ("is_static", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("name", "slug", "tenant__name")
    autocomplete_fields = ("tenant",)
    readonly_fields = ("members", "refreshed_at")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        current = AudienceMember.objects.filter(audience=OuterRef("pk"), left_at=None).order_by()
        counted = Subquery(
            current.values("audience").annotate(n=Count("*")).values("n"), output_field=IntegerField()
        )
        found: QuerySet[Any] = super().get_queryset(request).select_related("tenant")
        counting: QuerySet[Any] = found.annotate(member_count=Coalesce(counted, 0))
        return counting

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return ["tenant", "slug", "name", "is_static", "rule"]
        own = ["add", "remove"] if obj.is_static else ["rule", "refreshed_at"]
        return ["tenant", "slug", "name", FOLLOWS, "members", *own]

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What other rows and files know it by stays."""
        return (*self.readonly_fields, *(("tenant", "slug", FOLLOWS) if obj else ()))

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its members' history hangs on it, and lists may follow it."""
        return False

    @override
    def save_model(self, request: HttpRequest, obj: Audience, form: Any, change: bool) -> None:
        if not change:
            obj.save()
        elif names := [name for name in form.changed_data if name in ("name", "rule")]:
            obj.save(update_fields=names)
        if obj.is_static:
            add, remove = form.cleaned_data.get("add") or [], form.cleaned_data.get("remove") or []
            if add or remove:
                result = audiences.change_static(obj, add=add, remove=remove)
                self.message_user(request, told(result))
        elif not change or "rule" in form.changed_data:
            enqueue("loyalty.tasks.refresh_audiences", obj.tenant_id, lane="bulk")
            self.message_user(request, "Members join and leave within some minutes.")

    @admin.display(description="Members", ordering="member_count")
    def members(self, audience: Audience) -> int:
        return int(getattr(audience, "member_count", 0))


def told(result: StaticResult) -> str:
    """A change of a static audience in one line."""
    parts = [f"{result.added} added, {result.removed} removed, {result.already} were members already."]
    if result.not_members:
        parts.append(f"Not members: {', '.join(result.not_members[:20])}.")
    if result.unknown:
        parts.append(f"Unknown: {', '.join(result.unknown[:20])}.")
    return " ".join(parts)


@admin.register(AudienceMember, site=site)
class AudienceMemberAdmin(HistoryAdmin):
    list_display = ("person", "audience", "tenant_name", "joined", "left")
    list_display_links = ("joined",)
    list_select_related = ("member__tenant", "audience")
    list_filter = (("left_at", admin.EmptyFieldListFilter),)
    fields = ("person", "audience", "tenant_name", "joined_at", "left_at")
    readonly_fields = fields

    @admin.display(description="Joined")
    def joined(self, stay: AudienceMember) -> SafeString | str:
        return when(stay.joined_at)

    @admin.display(description="Left")
    def left(self, stay: AudienceMember) -> SafeString | str:
        return when(stay.left_at) if stay.left_at else "–"
