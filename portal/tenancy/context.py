"""What every page needs to draw its frame."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.tenancy.guards import VISIT, can
from portal.tenancy.models import Role, Tenant, User


@dataclass(frozen=True)
class Place:
    """An entry of the navigation; `covers` are the names of the pages below it."""

    name: str
    label: str
    icon: str
    covers: tuple[str, ...] = ()


PLACES = (
    Place("overview", "Overview", "overview", ("failures",)),
    Place(
        "integrations",
        "Integrations",
        "connection",
        (
            "integration",
            "integration_new",
            "integration_settings",
            "integration_connect",
            "integration_disconnect",
            "integration_delete",
            "integration_key",
            "integration_active",
        ),
    ),
    Place(
        "audiences",
        "Audiences",
        "audiences",
        (
            "audience",
            "audience_new",
            "audience_edit",
            "audience_people",
            "audience_why",
            "audience_delete",
            "list_link",
            "list_edit",
            "list_unlink",
        ),
    ),
    Place("fields", "Fields", "fields", ("field_new", "field_edit", "field_remove")),
    Place(
        "events", "Events", "events", ("event", "event_edit", "event_switch", "event_sample", "dictionary")
    ),
    Place("runs", "Runs", "runs", ("run", "run_rerun", "run_cancel", "sync_start")),
    Place("members", "Members", "members", ("member", "why")),
    Place(
        "tenant_settings",
        "Settings",
        "settings",
        (
            "tenant_settings_change",
            "setting_changes",
            "team",
            "invitation_new",
            "invitation_again",
            "member_role",
            "member_remove",
            "api_tokens",
            "api_token_new",
            "api_token_revoke",
            "alerts",
        ),
    ),
)


# The pages below Settings; the second column is who may open them.
SETTINGS = (
    (Place("tenant_settings", "General", "settings", ("tenant_settings_change",)), Role.VIEWER),
    (
        Place(
            "team", "Team", "members", ("invitation_new", "invitation_again", "member_role", "member_remove")
        ),
        Role.VIEWER,
    ),
    (Place("api_tokens", "API tokens", "key", ("api_token_new", "api_token_revoke")), Role.MANAGER),
    (Place("alerts", "Alerts", "bell"), Role.MANAGER),
    (Place("setting_changes", "History", "clock"), Role.VIEWER),
)


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    icon: str = ""
    is_current: bool = False


class Navigation:
    """Lazy: a page that draws no frame asks the database nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def user(self) -> User | None:
        user = getattr(self._request, "user", None)
        return user if isinstance(user, User) or getattr(user, "is_authenticated", False) else None

    @cached_property
    def tenant(self) -> Tenant | None:
        return getattr(self._request, "tenant", None)

    @cached_property
    def role(self) -> Role | None:
        return getattr(self._request, "role", None)

    @cached_property
    def is_visiting(self) -> bool:
        return getattr(self._request, "is_visiting", False)

    @cached_property
    def can_manage(self) -> bool:
        return self.role is not None and can(self.role, Role.MANAGER)

    @cached_property
    def places(self) -> list[Link]:
        return self._links(PLACES)

    @cached_property
    def settings(self) -> list[Link]:
        """The pages below Settings that this role may open."""
        role = self.role
        return self._links(place for place, wanted in SETTINGS if role is not None and can(role, wanted))

    def _links(self, places: Iterable[Place]) -> list[Link]:
        if self.tenant is None:
            return []
        match = self._request.resolver_match
        here = match.url_name if match else ""
        return [
            Link(
                place.label,
                reverse(place.name, args=[self.tenant.slug]),
                place.icon,
                here == place.name or here in place.covers,
            )
            for place in places
        ]

    @cached_property
    def other_tenants(self) -> list[Link]:
        if self.user is None:
            return []
        mine = Tenant.objects.filter(memberships__user=self.user)
        if self.tenant is not None:
            mine = mine.exclude(pk=self.tenant.pk)
        return [Link(tenant.name, reverse("overview", args=[tenant.slug])) for tenant in mine]

    @cached_property
    def may_visit(self) -> bool:
        return bool(self.user and self.user.is_staff and self.user.has_perm(VISIT))


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `nav`."""
    return {"nav": Navigation(request)}
