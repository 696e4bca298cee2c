"""Members: found by their beginning, corrected through the services, with points adjusted for a reason."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override

from loyalty.admin.member_forms import AdjustForm, MemberForm
from loyalty.admin.people import SEARCH_HELP, people
from loyalty.models import Member
from loyalty.services import ledger, members
from portal.admin_site import PortalModelAdmin, in_words, site

FIGURES = ("points_balance", "points_lifetime", "points_expiring_next", "points_expire_at", "tier", "tier_since",
           "last_activity_at", "email_consent", "sms_consent")  # fmt: skip
FLAGS = (
    in_words("email_malformed", "E-mail can be used", "no: it is malformed, and never sent", "yes, if given"),
    in_words("phone_malformed", "Phone can be used", "no: it is malformed, and never sent", "yes, if given"),
)


@admin.register(Member, site=site)
class MemberAdmin(PortalModelAdmin):
    form = MemberForm
    list_display = ("person", "external_id", "tenant", "state", "tier", "points_balance", "last_activity_at")
    list_filter = ("tenant",)
    list_select_related = ("tenant", "tier")
    search_fields = ("email",)
    search_help_text = SEARCH_HELP
    ordering = ("-pk",)
    sortable_by = ()
    actions = None
    readonly_fields = ("tenant", "external_id", *FLAGS, *FIGURES, "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("tenant", "external_id", "state", "enrolled_at")}),
        ("Points and tier", {"fields": FIGURES}),
        (
            "Person",
            {"fields": ("email", FLAGS[0], "phone", FLAGS[1], "first_name", "last_name",
                        "birthday", "locale", "timezone")},
        ),
        ("Location", {"fields": ("address1", "address2", "city", "region", "zip", "country")}),
        ("More", {"fields": ("referral_code", "referral_url", "tags", "attributes", "created_at", "updated_at")}),
    )  # fmt: skip

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=people(search_term)), False

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Members come in by API and CSV, with the ids of the merchant's system."""
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A person is erased, which forgets them everywhere: see `erase`."""
        return False

    @override
    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        if form.told is not None:
            result = members.upsert(obj.tenant, [form.told], source="admin")[0]
            for error in result.errors:
                self.message_user(request, error, messages.ERROR)
            for warning in form.warnings:
                self.message_user(request, warning, messages.WARNING)

    @admin.display(description="Member")
    def person(self, member: Member) -> SafeString:
        return format_html('{}<span class="under">{}</span>', member, member.email or member.phone or "–")

    # Pages of one member ----------------------------------------------------------------------------

    @override
    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<int:member_id>/adjust/", self.admin_site.admin_view(self.adjust), name="member_adjust"),
            path("<int:member_id>/erase/", self.admin_site.admin_view(self.erase), name="member_erase"),
        ]
        return own + list(super().get_urls())

    def adjust(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """First the form, then the new balance to agree to; that second POST does it, once."""
        member = self._member(request, member_id, "loyalty.adjust_points")
        form = AdjustForm(request.POST or None, balance=member.points_balance)
        is_sure = False
        if form.is_valid():
            if "confirmed" in request.POST:
                answer = self._post(request, member, form)
                if answer:
                    return answer
            elif form.new_balance < 0:
                form.add_error("points", f"The balance is {member.points_balance}: it cannot go below 0.")
            else:
                is_sure = True
        context = {"form": form, "is_sure": is_sure, "title": "Adjust points"}
        return self._page(request, member, "adjust", context)

    def _post(self, request: HttpRequest, member: Member, form: AdjustForm) -> HttpResponse | None:
        given = form.cleaned_data
        key = f"admin:{given['key']}"
        by = request.user.get_username()
        result = ledger.adjust(member, given["points"], given["reason"], by=by, idempotency_key=key)
        if result.errors:
            form.add_error(None, " ".join(result.errors))
            return None
        self.message_user(
            request, f"{given['points']:+,} points: the balance was {result.balance:,} after it."
        )
        return redirect("admin:loyalty_member_change", member.pk)

    def erase(self, request: HttpRequest, member_id: int) -> HttpResponse:
        """Ask, then forget a person everywhere."""
        member = self._member(request, member_id, "loyalty.delete_member")
        if request.method == "POST":
            members.erase(member, by=request.user.get_username())
            self.message_user(request, "The person is erased here, and is being erased where they were sent.")
            return redirect("admin:loyalty_member_changelist")
        return self._page(request, member, "erase", {"title": "Erase this person"})

    def _member(self, request: HttpRequest, member_id: int, permission: str) -> Member:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        return get_object_or_404(Member.objects.select_related("tenant", "tier"), pk=member_id)

    def _page(
        self, request: HttpRequest, member: Member, name: str, context: dict[str, Any]
    ) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, "member": member, **context}
        return TemplateResponse(request, f"admin/loyalty/member/{name}.html", whole)

    @override
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["may_adjust"] = request.user.has_perm("loyalty.adjust_points")
        context["may_erase"] = request.user.has_perm("loyalty.delete_member")
        return super().render_change_form(request, context, *args, **kwargs)
