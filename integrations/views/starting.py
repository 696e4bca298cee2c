"""A manager starts a run, re-runs one, or re-runs what failed of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integrations.errors import DestinationError
from integrations.forms import StartForm
from integrations.models import RunKind, RunTrigger, SyncRun
from integrations.rerun_forms import RerunForm
from integrations.services import rerun_once, rerun_outlook, run_history, run_stories, sync
from integrations.views.runs import get_run
from portal.tenancy.guards import TenantRequest, tenant_view
from portal.tenancy.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def start(request: TenantRequest) -> HttpResponse:
    form = StartForm(request.POST or None, tenant=request.tenant)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            run = sync.start(
                asked["extension"],
                kind=asked["kind"],
                trigger=RunTrigger.PERSON,
                user=request.user,
                reason=asked["reason"],
            )
        except DestinationError as error:
            form.add_error(None, error.words)
        else:
            messages.success(request, f"Run #{run.pk} is on its way.")
            return redirect("run", request.tenant.slug, run.pk)
    return render(request, "integrations/start.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def rerun(request: TenantRequest, run_id: int) -> HttpResponse:
    """Says what will happen, in numbers; then one POST makes one re-run."""
    run = get_run(request, run_id)
    form = RerunForm(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        try:
            again = rerun_once.create(
                run,
                failed_only=form.is_failed_only,
                force=form.is_forced,
                user=request.user,
                reason=form.cleaned_data["reason"],
            )
        except DestinationError as error:
            form.add_error(None, error.words)
        else:
            messages.success(request, f"Run #{again.pk} is on its way.")
            return redirect("run", request.tenant.slug, again.pk)
    context = {"form": form, **rerun_context(run, form.is_failed_only)}
    return render(request, "integrations/rerun.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(role=Role.MANAGER)
def cancel(request: TenantRequest, run_id: int) -> HttpResponse:
    """Says what stops and what does not; then one POST stops it."""
    run = get_run(request, run_id)
    may_cancel = run.is_open and run.kind != RunKind.LIVE
    if request.method == "POST":
        if may_cancel and sync.cancel(run, by=request.user.email):
            messages.success(request, f"Run #{run.pk} is cancelled.")
        else:
            messages.warning(request, f"Run #{run.pk} was over already.")
        return redirect("run", request.tenant.slug, run.pk)
    sentence = run_stories.sentence(run, run_history.destination_name(run.extension))
    return render(
        request, "integrations/cancel.html", {"run": run, "sentence": sentence, "may_cancel": may_cancel}
    )


def rerun_context(run: SyncRun, failed_only: bool) -> dict[str, Any]:
    """What a page that asks for a re-run states first; the same for merchants and the admin."""
    name = run_history.destination_name(run.extension)
    outlook = rerun_outlook.of(run)
    is_open = run.is_open and run.kind != RunKind.LIVE
    return {
        "run": run,
        "name": name,
        "failed_only": failed_only,
        "outlook": outlook,
        "sentence": run_stories.sentence(run, name),
        "is_too_early": is_open,
        "is_off": not run.extension.is_active,
        "is_nothing": not outlook.rows,
        "may_rerun": run.extension.is_active and not is_open,
    }
