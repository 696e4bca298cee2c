"""Runs from their start to their end: one job a connection at a time, one of a kind behind it.

`advance` moves the running run one step; each phase is left only when its work is durable, so that a
killed worker's run goes on where it stood.
"""

import logging
from datetime import date

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.models import (
    Delivery,
    DeliveryState,
    Extension,
    LaneName,
    RunKind,
    RunStatus,
    RunTrigger,
    SyncBatch,
    SyncRun,
)
from integrations.models.runs import OPEN_BATCHES, RunPhase
from integrations.planning import batching, messages
from integrations.services import lanes, mirror, routing
from loyalty.services import audiences
from portal.tenancy.models import User

logger = logging.getLogger(__name__)

EVENTS_AT_ONCE = 20_000
ACTIVE = (RunStatus.RUNNING, RunStatus.WAITING)


# Starting ------------------------------------------------------------------------------------------


def start(
    extension: Extension,
    *,
    kind: str = RunKind.CHANGES,
    trigger: str = RunTrigger.PERSON,
    user: User | None = None,
    reason: str = "",
    force: bool = False,
) -> SyncRun:
    """Queue a run and wake the bulk lane. A run of that kind that waits already is joined.

    Raises ConfigurationError for a connection that is off and for a kind that does not exist yet.
    """
    if kind not in RunKind.values or kind == RunKind.LIVE:
        raise ConfigurationError(
            f"There is no kind of run “{kind}”. Choose full, changes, audiences or events."
        )
    if kind == RunKind.PULL:
        raise ConfigurationError("Reading back (pull) is not part of this version yet. Choose another kind.")
    if not extension.is_active:
        raise ConfigurationError(
            f"The connection {extension.name} is switched off. Switch it on, then start again."
        )
    run = _queue(extension, kind, trigger, user, reason, force)
    wake(run)
    return run


def wake(run: SyncRun) -> None:
    extension_id = run.extension_id
    transaction.on_commit(lambda: lanes.nudge(extension_id, LaneName.BULK))


def _queue(
    extension: Extension, kind: str, trigger: str, user: User | None, reason: str, force: bool
) -> SyncRun:
    waiting = SyncRun.objects.filter(
        extension=extension, kind=kind, force=force, parent=None, status=RunStatus.QUEUED
    )
    try:
        with transaction.atomic():
            return SyncRun.objects.create(
                extension=extension,
                kind=kind,
                trigger=trigger,
                started_by=user,
                reason=reason[:300],
                force=force,
                mappings=mapping_snapshot(extension),
            )
    except IntegrityError:
        run = waiting.first()
        # It began in this very moment: what changed until now may be too late for it, so queue anew.
        return run or _queue(extension, kind, trigger, user, reason, force)


def mapping_snapshot(extension: Extension) -> dict[str, object]:
    """The mappings as they are, to be read in history when they have changed."""
    return {
        "merge_policy": extension.merge_policy,
        "only_opted_in": extension.only_opted_in,
        "fields": [[row.field, row.property, row.policy] for row in extension.field_mappings.all()],
        "events": [[row.kind, row.metric, row.is_enabled] for row in extension.event_mappings.all()],
        "lists": [
            [row.audience.slug, row.list_name, row.remove_leavers, row.is_paused]
            for row in extension.audience_mappings.select_related("audience")
        ],
    }


def start_full_due(extension: Extension) -> None:
    """Somebody marked everybody: one full run, and the mark goes in the same transaction."""
    with transaction.atomic():
        if Extension.objects.filter(pk=extension.pk, full_due_at=extension.full_due_at).update(
            full_due_at=None
        ):
            start(extension, kind=RunKind.FULL, trigger=RunTrigger.CHANGE, reason="Many members changed")


def start_daily(extension: Extension, today: date) -> None:
    """The daily look at all, for what changes with time alone; the first day only remembers the date."""
    known = extension.daily_full_on
    with transaction.atomic():
        if (
            Extension.objects.filter(pk=extension.pk, daily_full_on=known).update(daily_full_on=today)
            and known
        ):
            start(extension, kind=RunKind.FULL, trigger=RunTrigger.SCHEDULE, reason="Daily look at everybody")


def cancel(run: SyncRun, *, by: str) -> bool:
    """Stop a run: what is not sent yet is let go and stays due; what was handed over is still settled."""
    with transaction.atomic():
        if (
            not SyncRun.objects.open()
            .filter(pk=run.pk)
            .update(status=RunStatus.CANCELLED, finished_at=timezone.now(), note=f"Cancelled by {by}."[:500])
        ):
            return False
        routing.let_go(SyncBatch.objects.filter(run=run, state="planned", owner=None))
    return True


# Going on ------------------------------------------------------------------------------------------


def advance(extension: Extension) -> bool:
    """Move the connection's run one step; return whether there may be more to do at once.

    Call only while holding the bulk lane.
    """
    run = SyncRun.objects.jobs().filter(extension=extension, status__in=ACTIVE).first()
    if run is None:
        return _begin_next(extension)
    run.extension = extension
    return STEPS[RunPhase(run.phase)](run)


def _begin_next(extension: Extension) -> bool:
    queued = (
        SyncRun.objects.jobs().filter(extension=extension, status=RunStatus.QUEUED).order_by("pk").first()
    )
    if queued is None:
        return False
    now = timezone.now()
    began = SyncRun.objects.filter(pk=queued.pk, status=RunStatus.QUEUED).update(
        status=RunStatus.RUNNING, started_at=now, progress_at=now
    )
    logger.info("run %s (%s) begins", queued.pk, queued.kind)
    return bool(began)


def _prepare(run: SyncRun) -> bool:
    """Audiences fresh, lists found, marks and events routed."""
    kind = run.kind
    if kind in (RunKind.FULL, RunKind.AUDIENCES):
        audiences.refresh(run.extension.tenant)
        _refresh_statistics()
    if kind != RunKind.EVENTS and not mirror.prepare(run.extension):
        return True
    routing.route(run.extension)
    if run.parent_id is None and kind == RunKind.FULL and run.extension.events_enabled:
        messages.add_history(run.extension, run.started_at or run.created_at)
    if run.delivery_ids:
        _reopen(run)
    _enter(run, RunPhase.EVENTS if kind == RunKind.EVENTS else RunPhase.PLAN)
    return True


def _refresh_statistics() -> None:
    """After a large import the database plans the great difference with figures of before, forty times slower."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE loyalty_member, loyalty_audiencemember, integrations_sentprofile, integrations_sentmembership"
        )


def _reopen(run: SyncRun) -> None:
    """A re-run sends failed events again, under the same uid."""
    Delivery.objects.filter(
        pk__in=run.delivery_ids or [],
        extension=run.extension,
        state__in=[DeliveryState.FAILED, DeliveryState.REJECTED, DeliveryState.HELD],
    ).update(state=DeliveryState.OPEN, not_before=None, code="", words="")


def _plan(run: SyncRun) -> bool:
    """One chunk of members; the cursor moves in the same transaction."""
    with transaction.atomic():
        planned = batching.plan_members(run, scope_of(run), run.cursor)
        if planned.last_id is not None:
            count(run, planned)
            SyncRun.objects.filter(pk=run.pk).update(cursor=planned.last_id, progress_at=timezone.now())
            return True
        _enter(run, RunPhase.SEND)
    return True


def scope_of(run: SyncRun) -> batching.Scope:
    """Which members a run looks at, by its kind."""
    ids = None if run.member_ids is None else tuple(run.member_ids)
    return batching.Scope(
        ids=ids,
        due=run.kind == RunKind.CHANGES and ids is None and not run.force,
        force=run.force,
        again=run.parent_id is not None,
        profiles=run.kind != RunKind.AUDIENCES or ids is not None,
        singles_up_to=settings.LIVE_SINGLE_LIMIT,
        lane=LaneName.BULK,
    )


def count(run: SyncRun, planned: batching.Planned) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_syncrun
            SET planned = planned + %s, unchanged = unchanged + %s, held = held + %s WHERE id = %s
            """,
            [planned.pushed + planned.held, planned.unchanged, planned.held, run.pk],
        )


def _send(run: SyncRun) -> bool:
    """Wait for the batches; then events, where the run's kind has them."""
    if SyncBatch.objects.filter(run=run, state__in=OPEN_BATCHES).exists():
        return False
    _enter(run, RunPhase.EVENTS if _has_events(run) else RunPhase.DONE)
    return True


def _has_events(run: SyncRun) -> bool:
    if run.parent_id is not None:
        return bool(run.delivery_ids)
    return run.kind in (RunKind.FULL, RunKind.CHANGES, RunKind.EVENTS) and run.extension.events_enabled


def _events(run: SyncRun) -> bool:
    """Send what happened before the run began; done when none of it is open or on its way."""
    before, only = run.started_at, run.delivery_ids if run.parent_id else None
    with transaction.atomic():
        planned = messages.plan_deliveries(
            run,
            lane=LaneName.BULK,
            limit=EVENTS_AT_ONCE,
            singles_up_to=settings.LIVE_SINGLE_LIMIT,
            before=before,
            only=only,
        )
        if planned:
            count(run, batching.Planned(None, pushed=planned))
            return True
    if SyncBatch.objects.filter(run=run, state__in=OPEN_BATCHES).exists():
        return False
    waiting = Delivery.objects.filter(
        extension=run.extension, state__in=[DeliveryState.OPEN, DeliveryState.SENDING]
    )
    waiting = waiting.filter(pk__in=only) if only else waiting.filter(event__created_at__lt=before)
    if run.extension.merge_policy == "skip_existing":
        waiting = waiting.exclude(state=DeliveryState.OPEN)  # those wait for their profiles, not for us
    if waiting.exists():
        return False
    _enter(run, RunPhase.DONE)
    return True


def _finish(run: SyncRun) -> bool:
    """The status comes from the rows, never from the absence of an exception."""
    run.refresh_from_db()
    status, note = status_of(run), ""
    problems = mirror.problems(run.extension) if run.kind in (RunKind.FULL, RunKind.AUDIENCES) else []
    if problems:
        note = " ".join(problems)[:500]
        status = RunStatus.PARTLY_FAILED if status == RunStatus.SUCCEEDED else status
    SyncRun.objects.filter(pk=run.pk, status__in=ACTIVE).update(
        status=status, finished_at=timezone.now(), progress_at=timezone.now(), note=note
    )
    logger.info("run %s ends as %s: %s", run.pk, status, run.counts)
    return True


def status_of(run: SyncRun) -> str:
    """Succeeded when nothing was refused or given up; held rows are a decision, not a failure."""
    if not run.rejected and not run.failed:
        return RunStatus.SUCCEEDED
    return RunStatus.PARTLY_FAILED if run.sent or run.unchanged else RunStatus.FAILED


def _enter(run: SyncRun, phase: RunPhase) -> None:
    SyncRun.objects.filter(pk=run.pk).update(phase=phase, progress_at=timezone.now())
    run.phase = phase


STEPS = {
    RunPhase.PREPARE: _prepare,
    RunPhase.PLAN: _plan,
    RunPhase.SEND: _send,
    RunPhase.EVENTS: _events,
    RunPhase.DONE: _finish,
}


def close_live_runs(extension: Extension) -> None:
    """Rolling live runs of past hours end when nothing of theirs is open."""
    old = Q(hour__lt=timezone.now().replace(minute=0, second=0, microsecond=0))
    for run in SyncRun.objects.filter(old, extension=extension, kind=RunKind.LIVE, status=RunStatus.RUNNING):
        if not SyncBatch.objects.filter(run=run, state__in=OPEN_BATCHES).exists():
            _finish(run)
