"""Runs: the list, one run with its rows, and running again."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override

from integrations.admin import columns
from integrations.admin.filters import LiveFilter, StarterFilter
from integrations.errors import DestinationError
from integrations.models import RunKind, SyncRun
from integrations.rerun_forms import FAILURES, WHOLE, RerunForm
from integrations.services import (
    rerun_once,
    rerun_outlook,
    reruns,
    run_history,
    run_page,
    run_stories,
    runs_csv,
    sync,
)
from integrations.views.runs import csv_response, number
from portal import spreadsheet
from portal.admin_site import ReadOnlyAdmin, site
from portal.templatetags.portal_tags import when
from portal.wording import counted, duration

MOST_AT_ONCE = 50


@admin.register(SyncRun, site=site)
class RunAdmin(ReadOnlyAdmin):
    list_display = (columns.status, "name", "result", "began", "took")
    list_display_links = ("name",)
    list_filter = (LiveFilter, StarterFilter, "status", "kind", "trigger")
    date_hierarchy = "created_at"
    list_select_related = ("extension__tenant", "started_by")
    search_fields = ("=id", "extension__tenant__name", "extension__tenant__slug", "started_by__email")
    search_help_text = "Number of a run, programme, or who started it. To find a person, search the rows."
    ordering = ("-pk",)
    sortable_by = ()
    actions = ("rerun_failed", "rerun", "cancel")
    change_list_template = "admin/integrations/syncrun/change_list.html"
    change_form_template = "admin/integrations/syncrun/change_form.html"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncRun]:
        return super().get_queryset(request).defer(*run_history.HEAVY)

    @override
    def get_urls(self) -> list[URLPattern]:
        own = [
            path("runs.csv", self.admin_site.admin_view(self.runs_csv), name="syncrun_runs_csv"),
            path("<int:run_id>/rerun/", self.admin_site.admin_view(self.rerun_one), name="syncrun_rerun"),
            path("<int:run_id>/cancel/", self.admin_site.admin_view(self.cancel_one), name="syncrun_cancel"),
            path("<int:run_id>/not-arrived.csv", self.admin_site.admin_view(self.csv), name="syncrun_csv"),
        ]
        return own + list(super().get_urls())

    def has_rerun_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.rerun_syncrun")

    # Columns -----------------------------------------------------------------------------------

    @admin.display(description="Run")
    def name(self, run: SyncRun) -> SafeString:
        return format_html('{}<span class="under">{}</span>', run, run.extension.tenant.name)

    @admin.display(description="Result")
    def result(self, run: SyncRun) -> str:
        return run_stories.sentence(run, run_history.destination_name(run.extension))

    @admin.display(description="When, and who")
    def began(self, run: SyncRun) -> SafeString:
        who = run.started_by.email if run.started_by else run.get_trigger_display()
        return format_html('{}<span class="under">{}</span>', when(run.created_at), who)

    @admin.display(description="Took")
    def took(self, run: SyncRun) -> str:
        return duration(run.seconds)

    # One run -----------------------------------------------------------------------------------

    @override
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = run_history.runs().filter(pk=number(object_id) or 0).first()
        context = self._of_run(request, run) if run and self.has_view_permission(request, run) else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _of_run(self, request: HttpRequest, run: SyncRun) -> dict[str, Any]:
        verdict, code = request.GET.get("verdict", ""), request.GET.get("code", "")
        page = run_history.page_of_rows(
            run, verdict=verdict, code=code, after=number(request.GET.get("after"))
        )
        top = run_page.live_context(run)
        causes = run_page.causes(run, top["name"])
        return {
            **top,
            "title": str(run),
            "causes": causes,
            **run_page.related(run, causes),
            "verdict_chips": run_page.verdict_chips(run, top["name"]),
            "rows": run_page.readable(page.items, top["name"]),
            "next_key": page.next_key,
            "verdict": verdict,
            "code": code,
            "after": request.GET.get("after", ""),
            "may_rerun": self.has_rerun_permission(request),
            "may_cancel": self.has_rerun_permission(request) and _may_cancel(run),
        }

    def csv(self, request: HttpRequest, run_id: int) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return csv_response(get_object_or_404(run_history.runs(), pk=run_id))

    def runs_csv(self, request: HttpRequest) -> HttpResponseBase:
        """The runs that the list's own filters let through, of all its pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("admin:integrations_syncrun_changelist")
        return spreadsheet.response(runs_csv.lines(found, with_tenant=True), "runs.csv")

    # Running again -----------------------------------------------------------------------------

    @admin.action(description="Re-run failed rows", permissions=["rerun"])
    def rerun_failed(self, request: HttpRequest, chosen: QuerySet[SyncRun]) -> HttpResponse | None:
        return self._rerun(request, chosen, {"what": FAILURES})

    @admin.action(description="Re-run", permissions=["rerun"])
    def rerun(self, request: HttpRequest, chosen: QuerySet[SyncRun]) -> HttpResponse | None:
        return self._rerun(request, chosen, {"what": WHOLE})

    def rerun_one(self, request: HttpRequest, run_id: int) -> HttpResponse:
        if not self.has_rerun_permission(request):
            raise PermissionDenied
        get_object_or_404(SyncRun.objects.only("pk"), pk=run_id)
        answer = self._rerun(request, run_history.runs().filter(pk=run_id), request.GET.dict())
        return answer or redirect("admin:integrations_syncrun_changelist")

    def _rerun(
        self, request: HttpRequest, chosen: QuerySet[SyncRun], asked: dict[str, Any]
    ) -> HttpResponse | None:
        """First the page that states the result and asks for a reason; its POST does it."""
        runs = list(chosen.select_related("extension__tenant")[:MOST_AT_ONCE])
        form = RerunForm(request.POST if "confirmed" in request.POST else None, initial=asked)
        if not form.is_valid():
            return self._ask(request, runs, form)
        made: list[SyncRun] = []
        for run in runs:
            try:
                made.append(self._again(request, run, form))
            except DestinationError as error:
                self.message_user(request, f"{run}: {error.words}", messages.WARNING)
        if made:
            self.message_user(request, f"{counted(len(made), 're-run')} on the way.", messages.SUCCESS)
        if len(made) == 1:
            return redirect("admin:integrations_syncrun_change", made[0].pk)
        return None

    def _again(self, request: HttpRequest, run: SyncRun, form: RerunForm) -> SyncRun:
        user: Any = request.user
        return rerun_once.create(
            run,
            failed_only=form.is_failed_only,
            force=form.is_forced,
            user=user,
            reason=form.cleaned_data["reason"],
        )

    def _ask(self, request: HttpRequest, runs: list[SyncRun], form: RerunForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Re-run",
            "opts": self.opts,
            "runs": [(run, reruns.forecast(run)) for run in runs],
            "outlook": rerun_outlook.of(runs[0]) if len(runs) == 1 else None,
            "form": form,
            "action": "rerun_failed" if form.is_failed_only else "rerun",
            "back": reverse("admin:integrations_syncrun_changelist"),
        }
        return TemplateResponse(request, "admin/integrations/syncrun/rerun.html", context)

    # Cancelling --------------------------------------------------------------------------------

    @admin.action(description="Cancel", permissions=["rerun"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[SyncRun]) -> HttpResponse | None:
        """First the page that says what stops; its POST does it."""
        runs = [run for run in chosen.select_related("extension__tenant")[:MOST_AT_ONCE] if _may_cancel(run)]
        if not runs:
            self.message_user(request, "Nothing to cancel: that is over already, or live.", messages.WARNING)
            return None
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": "Cancel this run" if len(runs) == 1 else "Cancel these runs",
                "opts": self.opts,
                "runs": runs,
                "back": reverse("admin:integrations_syncrun_changelist"),
            }
            return TemplateResponse(request, "admin/integrations/syncrun/cancel.html", context)
        user: Any = request.user
        for run in runs:
            if sync.cancel(run, by=user.email):
                self.message_user(request, f"{run} is cancelled.", messages.SUCCESS)
        return redirect("admin:integrations_syncrun_change", runs[0].pk) if len(runs) == 1 else None

    def cancel_one(self, request: HttpRequest, run_id: int) -> HttpResponse:
        if not self.has_rerun_permission(request):
            raise PermissionDenied
        get_object_or_404(SyncRun.objects.only("pk"), pk=run_id)
        answer = self.cancel(request, run_history.runs().filter(pk=run_id))
        return answer or redirect("admin:integrations_syncrun_change", run_id)


def _may_cancel(run: SyncRun) -> bool:
    return run.is_open and run.kind != RunKind.LIVE
