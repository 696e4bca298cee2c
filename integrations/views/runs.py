"""Runs of a tenant: the list, one run with its rows, what did not arrive as a file."""

from dataclasses import replace

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from integrations.models import RunKind, SyncRun
from integrations.services import failed_rows_csv, run_history, run_page, run_stories
from integrations.services import runs_csv as runs_csv_file
from portal import spreadsheet
from portal.tenancy.guards import TenantRequest, tenant_view

STATUS_CHIPS = (("", "All"), ("open", "Running"), ("trouble", "Needs a look"), ("succeeded", "Succeeded"))
KIND_CHIPS = (RunKind.FULL, RunKind.CHANGES, RunKind.AUDIENCES, RunKind.EVENTS)
BY_CHIPS = (("people", "By people"), ("itself", "By itself"))
PERIODS = ((1, "Today"), (7, "7 days"), (30, "30 days"))


@require_safe
@tenant_view()
def runs(request: TenantRequest) -> HttpResponse:
    wanted = run_filter(request)
    page = run_history.page_of_runs(request.tenant, wanted)
    me = str(request.user.pk)
    context = {
        "runs": run_page.listed(page.items),
        "next_key": page.next_key,
        "wanted": wanted,
        "status_chips": STATUS_CHIPS,
        "kind_chips": [(kind.value, run_stories.KINDS[kind]) for kind in KIND_CHIPS],
        "by_chips": [(me, "By me"), *BY_CHIPS],
        "periods": PERIODS,
        "is_filtered": wanted != run_history.RunFilter(),
    }
    return render(request, "integrations/runs.html", context)


def run_filter(request: TenantRequest) -> run_history.RunFilter:
    """The filter that the address names; nonsense in it lets all through."""
    asked = request.GET
    days = number(asked.get("days"))
    return run_history.RunFilter(
        status=asked.get("status", ""),
        kind=asked.get("kind", ""),
        live=asked.get("live") == "1",
        by=asked.get("by", ""),
        days=days if days in dict(PERIODS) else None,
        before=number(asked.get("before")),
    )


@require_safe
@tenant_view()
def runs_csv(request: TenantRequest) -> HttpResponseBase:
    """All runs that the filters let through, whichever page is looked at."""
    wanted = replace(run_filter(request), before=None)
    found = run_history.chosen_runs(request.tenant, wanted)
    return spreadsheet.response(runs_csv_file.lines(found), "runs.csv")


@require_safe
@tenant_view()
def run(request: TenantRequest, run_id: int) -> HttpResponse:
    found = get_run(request, run_id)
    asked = request.GET
    verdict, code = asked.get("verdict", ""), asked.get("code", "")
    page = run_history.page_of_rows(found, verdict=verdict, code=code, after=number(asked.get("after")))
    name = run_history.destination_name(found.extension)
    causes = run_page.causes(found, name)
    context = {
        **run_page.live_context(found),
        "causes": causes,
        **run_page.related(found, causes),
        "rows": run_page.readable(page.items, name),
        "next_key": page.next_key,
        "verdict": verdict,
        "code": code,
        "after": asked.get("after", ""),
        "verdict_chips": run_page.verdict_chips(found, name),
    }
    return render(request, "integrations/run.html", context)


@require_safe
@tenant_view()
def run_progress(request: TenantRequest, run_id: int) -> HttpResponse:
    """The part that a page with an open run asks for again and again; at the end it loads the page anew."""
    found = get_run(request, run_id)
    if not found.is_open:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "integrations/run_live.html", run_page.live_context(found))


@require_safe
@tenant_view()
def run_csv(request: TenantRequest, run_id: int) -> HttpResponseBase:
    return csv_response(get_run(request, run_id))


def csv_response(found: SyncRun) -> StreamingHttpResponse:
    return spreadsheet.response(failed_rows_csv.lines(found), f"run-{found.pk}-not-arrived.csv")


def get_run(request: TenantRequest, run_id: int) -> SyncRun:
    found: SyncRun = get_object_or_404(run_history.runs(), extension__tenant=request.tenant, pk=run_id)
    return found


def number(text: str | None) -> int | None:
    """A key from the address; nonsense counts as none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
