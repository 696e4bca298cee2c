"""Filters that open a list on what matters."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override

from integrations.models import RunKind, Verdict
from integrations.services import run_history


class LiveFilter(admin.SimpleListFilter):
    """Live runs, one an hour and connection, are folded away unless asked for."""

    title = "live runs"
    parameter_name = "live"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("with", "Shown, too"), ("only", "Only these")]

    @override
    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        every = list(super().choices(changelist))
        every[0]["display"] = "Folded away"
        yield from every

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "only":
            return queryset.filter(kind=RunKind.LIVE)
        return queryset if self.value() == "with" else queryset.exclude(kind=RunKind.LIVE)


class StarterFilter(admin.SimpleListFilter):
    """Runs by who started them; one person is found by the search."""

    title = "who started it"
    parameter_name = "by"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me"), ("people", "People"), ("itself", "By itself")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "me":
            return queryset.filter(started_by=request.user.pk)
        if self.value() in ("people", "itself"):
            return queryset.filter(started_by__isnull=self.value() == "itself")
        return queryset


class OutcomeFilter(admin.SimpleListFilter):
    """Rows by what they ask of a person. Open failures have an index of their own."""

    title = "outcome"
    parameter_name = "outcome"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open failures"), ("held", "Held back")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "open":
            return queryset.filter(pk__in=run_history.open_failures().values("pk"))
        if self.value() == "held":
            return queryset.filter(run__held__gt=0, verdict=Verdict.HELD)
        return queryset
