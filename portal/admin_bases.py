"""What every admin class of the portal stands on: lists that stay quick, and forms that are readable to all."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core import checks
from django.core.paginator import Paginator
from django.db.models import ManyToManyField, QuerySet
from django.forms import CheckboxSelectMultiple
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from typing_extensions import override

if TYPE_CHECKING:
    BaseModelAdmin = admin.ModelAdmin[Any]
    BaseInline = admin.TabularInline[Any, Any]
    BaseFormSet = BaseInlineFormSet[Any, Any, Any]
    BasePaginator = Paginator[Any]
else:
    BaseModelAdmin = admin.ModelAdmin
    BaseInline = admin.TabularInline
    BaseFormSet = BaseInlineFormSet
    BasePaginator = Paginator

COUNT_AT_MOST = 10_000
Context = dict[str, Any] | None


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


class NamedFormSet(BaseFormSet):
    """Rows of an inline, whose box for deleting says so to screen readers."""

    @override
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = "Delete this row"


class PortalTabularInline(BaseInline):
    """Base of every inline: the name of each cell's field is in the head of the table, so it is said again."""

    formset = NamedFormSet
    extra = 0

    @override
    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        found: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if found is not None:
            widget = getattr(found.widget, "widget", found.widget)
            widget.attrs["aria-label"] = capfirst(str(found.label or db_field.verbose_name))
        return found


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
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Many of many are ticked, and both halves of a date with time have a name."""
        if isinstance(db_field, ManyToManyField):
            kwargs.setdefault("widget", CheckboxSelectMultiple)
        found: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if found is not None and isinstance(found.widget, AdminSplitDateTime):
            for widget, part in zip(found.widget.widgets, ("date", "time"), strict=True):
                widget.attrs["aria-label"] = f"{capfirst(str(found.label))}, {part}"
        return found

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
