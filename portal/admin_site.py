"""The admin: one site of ours, whose bases (portal/admin_bases.py) are found here too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.module_loading import module_has_submodule
from typing_extensions import override

from portal.admin_bases import (
    Context,
    PortalModelAdmin,
    PortalTabularInline,
    ReadOnlyAdmin,
    in_words,
    number,
)
from portal.tenancy.models import User
from portal.tenancy.two_factor import codes

__all__ = [
    "Panel",
    "PortalModelAdmin",
    "PortalTabularInline",
    "ReadOnlyAdmin",
    "in_words",
    "number",
    "site",
]

GROUPS = ("Programme", "Connections", "History", "People", "System")
GROUP_OF_APP = {"loyalty": "Programme", "integrations": "Connections", "tenancy": "People"}


@dataclass(frozen=True)
class Panel:
    """A part of the index page. `template` draws it; it finds its values under `panel.values`."""

    title: str
    template: str
    values: dict[str, Any] = field(default_factory=dict)
    wide: bool = False


PanelMaker = Callable[[HttpRequest], Panel | None]
PageView = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Place:
    """A page of the admin that is no model's. With a `label` it leads its group in the navigation."""

    route: str
    name: str
    view: PageView
    permission: str
    label: str = ""
    group: str = "History"
    position: int = 0


class PortalAdminSite(admin.AdminSite):
    """Models grouped by task, an index that says what needs a person, and one way to sign in."""

    site_header = "Loyalty portal"
    site_title = "Loyalty portal admin"
    index_title = "What needs you now"
    site_url = "/"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._panels: list[tuple[int, PanelMaker]] = []
        self._places: list[Place] = []

    def panel(self, position: int) -> Callable[[PanelMaker], PanelMaker]:
        """Decorator: let a function make a panel of the index, in order of `position`."""

        def register(make: PanelMaker) -> PanelMaker:
            self._panels.append((position, make))
            self._panels.sort(key=lambda entry: entry[0])
            return make

        return register

    def page(
        self,
        route: str,
        *,
        name: str,
        permission: str,
        label: str = "",
        group: str = "History",
        position: int = 0,
    ) -> Callable[[PageView], PageView]:
        """Decorator: put a page at `route` below the admin, for those who have `permission`."""

        def register(view: PageView) -> PageView:
            self._places.append(Place(route, name, view, permission, label, group, position))
            self._places.sort(key=lambda place: place.position)
            return view

        return register

    @override
    def get_urls(self) -> list[Any]:
        own = [path(place.route, self._guarded(place), name=place.name) for place in self._places]
        return own + list(super().get_urls())

    def _guarded(self, place: Place) -> Any:
        @wraps(place.view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(place.permission):
                raise PermissionDenied
            return place.view(request, *args, **kwargs)

        return self.admin_view(inner)

    @override
    def has_permission(self, request: HttpRequest) -> bool:
        """Staff come in; who is signed in and is not staff is told that nothing is here."""
        if super().has_permission(request):
            return True
        if request.user.is_authenticated:
            raise Http404
        return False

    @override
    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Where the settings ask staff for two-factor sign-in, it is set up before anything opens here."""
        guarded = super().admin_view(view, cacheable)

        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if isinstance(request.user, User) and codes.is_owed(request.user):
                return redirect("two_factor")
            return guarded(request, *args, **kwargs)

        return inner

    @override
    def index(self, request: HttpRequest, extra_context: Context = None) -> Any:
        panels = [panel for _, make in self._panels if (panel := make(request)) is not None]
        places = [self._entry(place) for place in self._own_places(request)]
        return super().index(request, {"panels": panels, "places": places, **(extra_context or {})})

    @override
    def login(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        return redirect_to_login(request.GET.get("next") or request.get_full_path())

    @override
    def password_change(self, request: HttpRequest, extra_context: Context = None) -> Any:
        return redirect("password_change")

    @override
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        if app_label is not None:
            return list(super().get_app_list(request, app_label))
        groups: dict[str, list[dict[str, Any]]] = {name: [] for name in GROUPS}
        own = self._own_places(request)
        for app in self._build_app_dict(request).values():
            for entry in app["models"]:
                model_admin = self._registry[entry["model"]]
                group = getattr(model_admin, "group", "") or GROUP_OF_APP.get(app["app_label"], "System")
                label = getattr(model_admin, "label", "")
                groups[group].append({**entry, "name": label} if label else entry)
        pages = {name: [self._entry(place) for place in own if place.group == name] for name in groups}
        return [
            _section(name, entries, pages[name]) for name, entries in groups.items() if entries or pages[name]
        ]

    def _own_places(self, request: HttpRequest) -> list[Place]:
        return [place for place in self._places if place.label and request.user.has_perm(place.permission)]

    def _entry(self, place: Place) -> dict[str, Any]:
        address = reverse(f"{self.name}:{place.name}")
        return {"name": place.label, "object_name": place.name, "admin_url": address, "add_url": None}


def _section(name: str, entries: Sequence[dict[str, Any]], pages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Pages of the portal's own lead, models follow by name."""
    return {
        "name": name,
        "app_label": name.lower(),
        "app_url": "",
        "has_module_perms": True,
        "models": [*pages, *sorted(entries, key=lambda entry: str(entry["name"]).lower())],
    }


site = PortalAdminSite()


def discover() -> None:
    """Import the admin modules of our own apps, and of nobody else's: other apps' pages stay out."""
    for config in apps.get_app_configs():
        is_ours = config.name.partition(".")[0] in ("portal", "loyalty", "integrations")
        if is_ours and module_has_submodule(config.module, "admin"):
            import_module(f"{config.name}.admin")
