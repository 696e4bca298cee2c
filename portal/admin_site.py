"""The admin: one site of ours, and the two bases that every admin class of the portal stands on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core import checks
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.module_loading import module_has_submodule
from django.utils.text import capfirst
from typing_extensions import override

from portal.tenancy.models import User
from portal.tenancy.two_factor import codes

if TYPE_CHECKING:
    BaseModelAdmin = admin.ModelAdmin[Any]
    BasePaginator = Paginator[Any]
else:
    BaseModelAdmin = admin.ModelAdmin
    BasePaginator = Paginator

GROUPS = ("Programme", "Connections", "History", "People", "System")
GROUP_OF_APP = {"loyalty": "Programme", "integrations": "Connections", "tenancy": "People"}
COUNT_AT_MOST = 10_000
Context = dict[str, Any] | None


@dataclass(frozen=True)
class Panel:
    """A part of the index page. `template` draws it; it finds its values under `panel.values`."""

    title: str
    template: str
    values: dict[str, Any] = field(default_factory=dict)
    wide: bool = False


PanelMaker = Callable[[HttpRequest], Panel | None]


def in_words(name: str, description: str, yes: str = "yes", no: str = "no") -> Any:
    """A column that says a flag in words: a red cross reads as harm where it only means no."""

    @admin.display(description=description)
    def column(row: Any) -> str:
        return yes if getattr(row, name) else no

    column.__name__ = name
    return column


@admin.display(description="Number", ordering="pk")
def number(row: Any) -> str:
    """The key as people quote it, without separators of thousands."""
    return f"#{row.pk}"


class BoundedPaginator(BasePaginator):
    """Counts to ten thousand at most: a list of five million rows opens as fast as one of fifty."""

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet):
            return self.object_list.order_by()[:COUNT_AT_MOST].count()
        return len(self.object_list)


class PortalModelAdmin(BaseModelAdmin):
    """Base of every admin class. `group` names the section of the index; a list names its joins."""

    group = ""
    label = ""  # what the navigation and the list call it, where the model's own name is not for people
    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 0
    empty_value_display = "–"

    @override
    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        title = self.label or capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @override
    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        found = list(super().check(**kwargs))
        own = type(self).__mro__[: type(self).__mro__.index(PortalModelAdmin)]
        if not any("list_select_related" in vars(cls) for cls in own if cls is not ReadOnlyAdmin):
            hint = "Set list_select_related, to an empty tuple when the list needs no join."
            found.append(checks.Error("The list does not name its joins.", hint, type(self), "portal.E101"))
        return found


class ReadOnlyAdmin(PortalModelAdmin):
    """History: to be read by those who may view it; nobody adds, changes or deletes, superusers included."""

    group = "History"

    @override
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        return super().changelist_view(request, {"is_history": True, **(extra_context or {})})

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context = None,
    ) -> HttpResponse:
        return super().changeform_view(
            request, object_id, form_url, {"is_history": True, **(extra_context or {})}
        )


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

    def panel(self, position: int) -> Callable[[PanelMaker], PanelMaker]:
        """Decorator: let a function make a panel of the index, in order of `position`."""

        def register(make: PanelMaker) -> PanelMaker:
            self._panels.append((position, make))
            self._panels.sort(key=lambda entry: entry[0])
            return make

        return register

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
        return super().index(request, {"panels": panels, **(extra_context or {})})

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
        for app in self._build_app_dict(request).values():
            for entry in app["models"]:
                model_admin = self._registry[entry["model"]]
                group = getattr(model_admin, "group", "") or GROUP_OF_APP.get(app["app_label"], "System")
                label = getattr(model_admin, "label", "")
                groups[group].append({**entry, "name": label} if label else entry)
        return [_section(name, entries) for name, entries in groups.items() if entries]


def _section(name: str, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "app_label": name.lower(),
        "app_url": "",
        "has_module_perms": True,
        "models": sorted(entries, key=lambda entry: str(entry["name"]).lower()),
    }


site = PortalAdminSite()


def discover() -> None:
    """Import the admin modules of our own apps, and of nobody else's: other apps' pages stay out."""
    for config in apps.get_app_configs():
        is_ours = config.name.partition(".")[0] in ("portal", "loyalty", "integrations")
        if is_ours and module_has_submodule(config.module, "admin"):
            import_module(f"{config.name}.admin")
