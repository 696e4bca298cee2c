"""Runs by API: read them, start one, run what failed again."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from integrations.api.schemas_runs import RunCancel, RunRerun, RunShown, RunsPage, RunsQuery, RunStart
from integrations.errors import ConfigurationError
from integrations.models import Extension, RunKind, RunTrigger, SyncRun
from integrations.services import reruns, sync
from portal.rest import bodies, documented
from portal.rest.bearer import tenant_of
from portal.rest.bodies import Envelope
from portal.rest.problems import Problem, fault, not_found
from portal.tenancy.models import Tenant

router = Router(tags=["Runs"])


@router.get(
    "/runs",
    summary="List runs, newest first",
    response={200: RunsPage},
    openapi_extra=documented.call(problems=(422,)),
)
def list_runs(request: HttpRequest, query: Query[RunsQuery]) -> HttpResponse:
    """Rolling live runs are left out unless asked for by `kind=live`. Follow `next_before` for older ones."""
    found = SyncRun.objects.for_tenant(tenant_of(request)).select_related("extension").order_by("-id")
    found = found.filter(kind=query.kind) if query.kind else found.jobs()
    if query.status:
        found = found.filter(status=query.status)
    if query.before is not None:
        found = found.filter(id__lt=query.before)
    page = list(found[: query.limit + 1])
    shown = page[: query.limit]
    older = shown[-1].pk if len(page) > query.limit else None
    return bodies.answer({"runs": [show(run) for run in shown], "next_before": older})


@router.get(
    "/runs/{run_id}",
    summary="One run",
    response={200: RunShown},
    openapi_extra=documented.call(problems=(404,)),
)
def get_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """Ask until `status` is succeeded, partly_failed, failed or cancelled."""
    return bodies.answer(show(_run(tenant_of(request), run_id)))


@router.post(
    "/runs",
    summary="Start a run",
    response={202: RunShown},
    openapi_extra=documented.call(body=RunStart, problems=(404, 409), repeatable=True),
)
def start_run(request: HttpRequest) -> HttpResponse:
    """The run is queued and answered at once (202). A run of that kind that waits already is joined."""
    body = bodies.envelope(request, required=(), optional=("kind", "extension", "force", "reason"))
    extension = _extension(tenant_of(request), _text(body, "extension", limit=120))
    run = _started(
        lambda: sync.start(
            extension,
            kind=_kind(body),
            trigger=RunTrigger.API,
            reason=_text(body, "reason", limit=300),
            force=_flag(body, "force"),
        )
    )
    return bodies.answer(show(run), status=202)


@router.post(
    "/runs/{run_id}/rerun",
    summary="Run again what failed, or all",
    response={202: RunShown},
    openapi_extra=documented.call(body=RunRerun, problems=(404, 409), repeatable=True),
)
def rerun(request: HttpRequest, run_id: str) -> HttpResponse:
    """A new run whose `parent_id` is this one. `failed_only` takes only the rows that did not arrive."""
    run = _run(tenant_of(request), run_id)
    body = bodies.envelope(request, required=(), optional=("failed_only", "force", "reason"))
    again = _started(
        lambda: reruns.create(
            run,
            failed_only=_flag(body, "failed_only"),
            force=_flag(body, "force"),
            reason=_text(body, "reason", limit=300),
        )
    )
    return bodies.answer(show(again), status=202)


@router.post(
    "/runs/{run_id}/cancel",
    summary="Stop a run",
    response={200: RunShown},
    openapi_extra=documented.call(body=RunCancel, problems=(404, 409), repeatable=True),
)
def cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    """What is not sent yet is let go and stays due; what was handed over is still settled."""
    run = _run(tenant_of(request), run_id)
    body = bodies.envelope(request, required=(), optional=("reason",))
    reason = _text(body, "reason", limit=300)
    by = f"the API: {reason}" if reason else "the API"
    if run.kind == RunKind.LIVE or not sync.cancel(run, by=by):
        raise Problem(
            409, "cannot-cancel", "The run is over already, or it is a live run, which ends by itself."
        )
    run.refresh_from_db()
    return bodies.answer(show(run))


def show(run: SyncRun) -> dict[str, object]:
    """A run as the API tells it; also what `sync --json` prints, and more."""
    return {
        "id": run.pk,
        "kind": run.kind,
        "status": run.status,
        "counts": run.counts,
        "calls": run.calls,
        "seconds": run.seconds,
        "created_at": _moment(run.created_at),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "parent_id": run.parent_id,
        "extension": run.extension.name,
        "trigger": run.trigger,
        "reason": run.reason,
        "note": run.note,
    }


def _moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None


def _run(tenant: Tenant, run_id: str) -> SyncRun:
    is_id = run_id.isascii() and run_id.isdigit() and len(run_id) < 19
    found = (
        SyncRun.objects.for_tenant(tenant).select_related("extension").filter(pk=run_id).first()
        if is_id
        else None
    )
    if found is None:
        raise not_found("There is no such run.")
    return found


def _extension(tenant: Tenant, name: str) -> Extension:
    """The named connection, or the only one that is on."""
    listed = Extension.objects.for_tenant(tenant).order_by("name")
    if name:
        found = listed.filter(name=name).order_by("-is_active").first()
        if found is None:
            raise not_found("There is no connection of this name.")
        return found
    active = list(listed.active()[:20])
    if not active:
        raise Problem(409, "no-connection", "No connection is switched on, so there is nothing to run.")
    if len(active) > 1:
        names = ", ".join(f"“{extension.name}”" for extension in active)
        raise _invalid("extension", f"name one of {names}")
    return active[0]


def _started(start: Callable[[], SyncRun]) -> SyncRun:
    try:
        return start()
    except ConfigurationError as error:
        raise Problem(409, "cannot-run", str(error)) from error


def _kind(body: Envelope) -> str:
    kind = body.values.get("kind", RunKind.CHANGES)
    known = [kind for kind in RunKind.values if kind != RunKind.LIVE]
    if kind not in known:
        raise _invalid("kind", f"must be one of {', '.join(known)}")
    return str(kind)


def _flag(body: Envelope, key: str) -> bool:
    value = body.values.get(key, False)
    if not isinstance(value, bool):
        raise _invalid(key, "must be true or false")
    return value


def _text(body: Envelope, key: str, *, limit: int) -> str:
    value = body.values.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise _invalid(key, f"must be text of at most {limit} characters")
    objection = body.text_objection(value)
    if objection:
        raise _invalid(key, objection)
    return value.strip()


def _invalid(key: str, what: str) -> Problem:
    return Problem(422, "invalid-body", "The body cannot be taken.", errors=[fault(f"/{key}", what)])
