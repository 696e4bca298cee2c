"""People who sign in, and groups of staff. A password is set by its owner, through a link; never here."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from typing_extensions import override

from portal.admin_site import PortalModelAdmin, in_words, site
from portal.tenancy.admin.tenants import MembershipInline
from portal.tenancy.models import AuthenticatorDevice, User
from portal.tenancy.two_factor import codes

POWER = ("is_staff", "is_superuser", "groups", "user_permissions")
MAY_LOG_IN, IS_STAFF = in_words("is_active", "May log in"), in_words("is_staff", "Staff")


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "is_active", *POWER)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


@admin.register(User, site=site)
class PersonAdmin(PortalModelAdmin):
    form = PersonForm
    list_display = (
        "email",
        "first_name",
        "last_name",
        in_words("is_active", "May log in"),
        in_words("is_staff", "Staff"),
        in_words("has_two_factor", "Two-factor sign-in", "on", "off"),
        "last_login",
    )
    list_filter = ("is_staff", "is_active", "groups")
    list_select_related = ()
    search_fields = ("email", "first_name", "last_name")
    readonly_fields = ("last_login", "date_joined")
    inlines = (MembershipInline,)
    actions = ("password_link", "switch_off_two_factor")
    fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name", "is_active")}),
        ("Staff", {"fields": ("is_staff", "groups", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Power is given by superusers only: who may edit people cannot raise themselves."""
        own = tuple(self.readonly_fields)
        return own if request.user.is_superuser else (*own, *POWER)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who holds power is changed by superusers only: not even a new e-mail address, nor a link to log in."""
        if obj is not None and (obj.is_staff or obj.is_superuser) and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A person is switched off, so that history keeps their name."""
        return False

    @override
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if not change:
            self._show_link(request, obj)

    @admin.action(description="Make a link to set the password", permissions=["change"])
    def password_link(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for person in chosen[:10]:
            if self.has_change_permission(request, person):
                self._show_link(request, person)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        confirmed = AuthenticatorDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        found: QuerySet[User] = super().get_queryset(request).annotate(has_two_factor=Exists(confirmed))
        return found

    def has_superuser_permission(self, request: HttpRequest) -> bool:
        """Who takes a factor away from others could log in with a password alone: superusers only."""
        return bool(request.user.is_superuser)

    @admin.action(description="Switch two-factor sign-in off", permissions=["superuser"])
    def switch_off_two_factor(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        ended = sum(codes.switch_off(person) for person in chosen[:10])
        words = f"{ended} switched off: the password alone logs in until it is set up again."
        self.message_user(request, words, messages.SUCCESS if ended else messages.WARNING)

    def _show_link(self, request: HttpRequest, person: User) -> None:
        key = urlsafe_base64_encode(force_bytes(person.pk))
        token = default_token_generator.make_token(person)
        link = request.build_absolute_uri(reverse("password_reset_confirm", args=[key, token]))
        words = f"Give this link to {person.email}; it sets the password, once, within three days: {link}"
        self.message_user(request, words, messages.WARNING)


@admin.register(Group, site=site)
class GroupAdmin(PortalModelAdmin):
    group = "People"
    list_display = ("name",)
    list_select_related = ()
    search_fields = ("name",)

    @override
    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "permissions":
            kwargs["queryset"] = db_field.remote_field.model.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)
