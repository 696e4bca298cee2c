"""The course of a running run: one step at a time, each phase left only when its work is durable.

A killed worker's run goes on where it stood. A run is over when all that was due when it began is
settled, whoever carried it: members on their way in another batch are waited for and looked at again.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from integrations.models import (
    Delivery,
    DeliveryState,
    Extension,
    LaneName,
    RunKind,
    RunStatus,
    SentProfile,
    SyncBatch,
    SyncRun,
)
from integrations.models.runs import OPEN_BATCHES, RunPhase
from integrations.planning import batching, filling, messages
from integrations.services import clearing, list_endings, mirror, routing
from loyalty.services import audiences

logger = logging.getLogger(__name__)

ACTIVE = (RunStatus.RUNNING, RunStatus.WAITING)
EVENTS_AT_ONCE = 20_000
SOON = timedelta(minutes=1)  # a batch that waits longer than that is in trouble of its own
PATIENCE = timedelta(minutes=10)  # and so is one that is older
REFRESH_SECONDS = 15.0  # then the task ends, and the next one goes on
PASSES = 5  # how often a run looks again at members who were on their way elsewhere or changed meanwhile


def advance(extension: Extension) -> bool:
    """Move the connection's run one step; return whether there may be more to do at once.

    Call only while holding the bulk lane.
    """
    run = SyncRun.objects.jobs().filter(extension=extension, status__in=ACTIVE).first()
    if run is None:
        return _begin_next(extension)
    if run.not_before and run.not_before > timezone.now():
        return False
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
        if not audiences.refresh(run.extension.tenant, seconds=REFRESH_SECONDS).is_complete:
            return True
        _refresh_statistics()
    if kind != RunKind.EVENTS and not mirror.prepare(run.extension):
        return True
    routing.route(run.extension)
    if run.parent_id is None and kind == RunKind.FULL and run.extension.events_enabled:
        told = messages.add_history(run.extension, run.started_at or run.created_at)
        if told == messages.HISTORY_AT_ONCE:
            return True
    if run.delivery_ids:
        reopen(run)
    _enter(run, RunPhase.EVENTS if kind == RunKind.EVENTS else RunPhase.PLAN)
    return True


def _refresh_statistics() -> None:
    """After a large import the database plans the great difference with figures of before, forty times slower."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE loyalty_member, loyalty_audiencemember, integrations_sentprofile, integrations_sentmembership"
        )


def reopen(run: SyncRun) -> None:
    """A re-run sends failed events again, under the same uid; what was discarded on purpose stays so."""
    Delivery.objects.filter(
        pk__in=run.delivery_ids or [],
        extension=run.extension,
        state__in=[DeliveryState.FAILED, DeliveryState.REJECTED, DeliveryState.HELD],
    ).exclude(code="discarded").update(state=DeliveryState.OPEN, not_before=None, code="", words="")


def _plan(run: SyncRun) -> bool:
    """One chunk of members; the cursor moves in the same transaction."""
    with transaction.atomic():
        planned = batching.plan_members(run, scope_of(run), run.cursor)
        if planned.last_id is not None:
            count(run, planned)
            SyncRun.objects.filter(pk=run.pk).update(cursor=planned.last_id, progress_at=timezone.now())
            return True
        filling.close(run, lane=LaneName.BULK, singles_up_to=settings.LIVE_SINGLE_LIMIT)
        _enter(run, RunPhase.SEND)
        # From here the cursor is the newest batch of now: what others plan later is not waited for.
        newest = SyncBatch.objects.filter(extension=run.extension).aggregate(newest=Max("pk"))["newest"]
        SyncRun.objects.filter(pk=run.pk).update(cursor=newest or 0)
    return True


def scope_of(run: SyncRun) -> batching.Scope:
    """Which members a run looks at, by its kind."""
    ids = None if run.member_ids is None else tuple(run.member_ids)
    return batching.Scope(
        ids=ids,
        due=(run.kind == RunKind.CHANGES and ids is None) or run.passes > 0,
        force=run.force,
        again=run.parent_id is not None,
        profiles=run.kind != RunKind.AUDIENCES or ids is not None,
        singles_up_to=settings.LIVE_SINGLE_LIMIT,
        lane=LaneName.BULK,
        fills=True,
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
    """Wait for the batches; look again at who is due since; then events, where the run's kind has them."""
    open_batches = SyncBatch.objects.filter(extension=run.extension, state__in=OPEN_BATCHES)
    if open_batches.filter(run=run).exists() or _others(run, open_batches).exists():
        return False
    if _looks_again(run):
        SyncRun.objects.filter(pk=run.pk).update(cursor=0, passes=run.passes + 1, phase=RunPhase.PLAN)
        return True
    _enter(run, RunPhase.EVENTS if _has_events(run) else RunPhase.DONE)
    return True


def _others(run: SyncRun, open_batches: QuerySet[SyncBatch]) -> QuerySet[SyncBatch]:
    """Batches of other runs that may carry members whom this run met on their way; not those in trouble."""
    now = timezone.now()
    soon = Q(not_before=None) | Q(not_before__lte=now + SOON)
    young = open_batches.filter(soon, pk__lte=run.cursor, created_at__gt=now - PATIENCE)
    return young.exclude(run=run).filter(delivery_ids=[])


def _looks_again(run: SyncRun) -> bool:
    """Whether members wait who were due before now and not on their way; a narrow run has its own few."""
    if run.passes >= PASSES or run.member_ids is not None or run.kind not in (RunKind.FULL, RunKind.CHANGES):
        return False
    routing.route(run.extension)
    return SentProfile.objects.filter(
        extension=run.extension, due_at__isnull=False, in_flight=None, not_before=None
    ).exists()


def _has_events(run: SyncRun) -> bool:
    if run.parent_id is not None:
        return bool(run.delivery_ids)
    return run.kind in (RunKind.FULL, RunKind.CHANGES, RunKind.EVENTS) and run.extension.events_enabled


def _events(run: SyncRun) -> bool:
    """Send what happened before the run began; done when none of it is open or on its way."""
    only = run.delivery_ids if run.parent_id else None
    # Asked anew: a person may switch events off while the run goes on.
    is_on = Extension.objects.filter(pk=run.extension_id, events_enabled=True).exists()
    if is_on and _plan_events(run, only):
        return True
    if SyncBatch.objects.filter(run=run, state__in=OPEN_BATCHES).exists():
        return False
    if is_on and _has_waiting_events(run, only):
        return False
    _enter(run, RunPhase.DONE)
    return True


def _plan_events(run: SyncRun, only: list[int] | None) -> int:
    with transaction.atomic():
        planned = messages.plan_deliveries(
            run,
            lane=LaneName.BULK,
            limit=EVENTS_AT_ONCE,
            singles_up_to=settings.LIVE_SINGLE_LIMIT,
            before=run.started_at,
            only=only,
        )
        if planned:
            count(run, batching.Planned(None, pushed=planned))
    return planned


def _has_waiting_events(run: SyncRun, only: list[int] | None) -> bool:
    """Whether events of this run are open still, or with another batch."""
    waiting = Delivery.objects.filter(
        extension=run.extension, state__in=[DeliveryState.OPEN, DeliveryState.SENDING]
    )
    is_ours = Q(event__created_at__lt=run.started_at) if only is None else Q(pk__in=only)
    waiting = waiting.filter(is_ours)
    if run.extension.merge_policy == "skip_existing":
        waiting = waiting.exclude(state=DeliveryState.OPEN)  # those wait for their profiles, not for us
    return waiting.exists()


def finish(run: SyncRun) -> bool:
    """The status comes from the rows, never from the absence of an exception."""
    run.refresh_from_db()
    status, note = status_of(run), ""
    list_endings.finish(run.extension_id)
    problems = mirror.problems(run.extension) if run.kind not in (RunKind.EVENTS, RunKind.LIVE) else []
    if problems:
        note = " ".join(problems)[:500]
        status = RunStatus.PARTLY_FAILED if status == RunStatus.SUCCEEDED else status
    SyncRun.objects.filter(pk=run.pk, status__in=ACTIVE).update(
        status=status, finished_at=timezone.now(), progress_at=timezone.now(), note=note
    )
    logger.info("run %s ends as %s: %s", run.pk, status, run.counts)
    clearing.finish(run.extension)
    return True


def status_of(run: SyncRun) -> str:
    """Succeeded when nothing was refused or given up; held rows are a decision, not a failure."""
    if not run.rejected and not run.failed:
        return RunStatus.SUCCEEDED
    return RunStatus.PARTLY_FAILED if run.sent or run.unchanged else RunStatus.FAILED


def _enter(run: SyncRun, phase: RunPhase) -> None:
    SyncRun.objects.filter(pk=run.pk, status__in=ACTIVE).update(
        phase=phase,
        progress_at=timezone.now(),
        status=RunStatus.RUNNING,
        note="",
        not_before=None,
        failures=0,
    )
    run.phase = phase


STEPS = {
    RunPhase.PREPARE: _prepare,
    RunPhase.PLAN: _plan,
    RunPhase.SEND: _send,
    RunPhase.EVENTS: _events,
    RunPhase.DONE: finish,
}


def close_live_runs(extension: Extension) -> None:
    """Live runs of past hours, and those of one person, end when nothing of theirs is open."""
    old = Q(hour=None) | Q(hour__lt=timezone.now().replace(minute=0, second=0, microsecond=0))
    for run in SyncRun.objects.filter(old, extension=extension, kind=RunKind.LIVE, status=RunStatus.RUNNING):
        if not SyncBatch.objects.filter(run=run, state__in=OPEN_BATCHES).exists():
            finish(run)
