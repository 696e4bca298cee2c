"""API tokens: issued, shown once, taken back."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from typing_extensions import override

from portal.admin_site import PortalModelAdmin, site
from portal.templatetags.portal_tags import badge
from portal.tenancy import tokens
from portal.tenancy.models import ApiToken, User


@admin.register(ApiToken, site=site)
class TokenAdmin(PortalModelAdmin):
    label = "API tokens"
    list_display = ("name", "tenant", "hint", "state", "created_at", "last_used_at")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name", "tenant__slug", "hint")
    autocomplete_fields = ("tenant",)
    actions = ("revoke",)
    fields = ("tenant", "name")

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (
            ("tenant", "name", "hint", "state", "created_at", "last_used_at", "revoked_at")
            if obj
            else self.fields
        )

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(self.get_fields(request, obj)) if obj else ()

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A token is not edited; the list needs this to offer *revoke*."""
        return obj is None and super().has_change_permission(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is revoked, so that it can be seen later that it was there."""
        return False

    @override
    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        made, text = tokens.issue(obj.tenant, obj.name, by=cast(User, request.user))
        obj.pk, obj.hint, obj.digest = made.pk, made.hint, made.digest
        request.issued_text = text  # type: ignore[attr-defined]  # for response_add, never stored

    @override
    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The one page that shows the text; no message store, cookie or address ever holds it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "The token is issued",
            "opts": self.opts,
            "token": obj,
            "text": request.issued_text,  # type: ignore[attr-defined]
        }
        page = TemplateResponse(request, "admin/tenancy/apitoken/issued.html", context)
        page["Cache-Control"] = "no-store"
        return page

    @admin.display(description="State")
    def state(self, token: ApiToken) -> SafeString:
        return badge("off", "Revoked") if token.revoked_at else badge("ok", "Active")

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        ended = sum(tokens.revoke(token) for token in chosen)
        self.message_user(
            request, f"{ended} revoked: calls with them are refused from now on.", messages.SUCCESS
        )
