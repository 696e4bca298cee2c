"""Mappings, edited on the page of their connection."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from typing_extensions import override

from integrations.models import AudienceMapping, EventMapping, Extension, FieldMapping
from loyalty import fields
from loyalty.models import Audience
from portal.admin_site import PortalTabularInline


class FieldMappingForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = FieldMapping
        fields = ("field", "property", "policy")

    def clean_field(self) -> str:
        key = str(self.cleaned_data["field"])
        try:
            fields.get(key)
        except fields.UnknownField as error:
            raise ValidationError(str(error)) from error
        return key


class FieldMappingInline(PortalTabularInline):
    model = FieldMapping
    form = FieldMappingForm


class EventMappingInline(PortalTabularInline):
    model = EventMapping
    fields = ("kind", "metric", "is_enabled")


class AudienceMappingInline(PortalTabularInline):
    model = AudienceMapping
    fields = ("audience", "list_name", "list_id", "create_list", "remove_leavers", "is_paused", "problem")
    readonly_fields = ("list_id", "problem")

    @override
    def get_formset(self, request: HttpRequest, obj: Extension | None = None, **kwargs: Any) -> Any:
        """Only audiences of the connection's own tenant are on offer, and accepted."""
        formset = super().get_formset(request, obj, **kwargs)
        audiences = Audience.objects.filter(tenant=obj.tenant_id) if obj else Audience.objects.none()
        choice: Any = formset.form.base_fields.get("audience")
        if choice is not None:
            choice.queryset = audiences
        return formset


MAPPING_INLINES = (FieldMappingInline, EventMappingInline, AudienceMappingInline)
