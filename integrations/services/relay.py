"""The live lane: what changed a moment ago, carried within seconds.

One relay at a time works for a connection, so that a member's events keep their order. It clears the
nudge before it reads: a change that comes later nudges again.
"""

import logging
import time
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from integrations.models import (
    Extension,
    Lane,
    LaneName,
    RunKind,
    RunStatus,
    RunTrigger,
    SentProfile,
    SyncRun,
)
from integrations.models.runs import RunPhase
from integrations.planning import batching, messages
from integrations.services import claims, course, erasures, lanes, routing, sending, sync

logger = logging.getLogger(__name__)

LONGEST = 20.0  # seconds in one task, so that other tenants get their turn
EVENTS_AT_ONCE = 2_000
DUE_AT_ONCE = 10_000  # one bulk job


def serve(extension: Extension) -> str:
    """Carry all that is due in the connection's live lane; returns in words what was done."""
    if not claims.take_lane(extension, LaneName.LIVE):
        return "somebody else is at it"
    try:
        return _serve(extension)
    finally:
        claims.leave_lane(extension, LaneName.LIVE)


def _serve(extension: Extension) -> str:
    began, batches = time.monotonic(), 0
    while time.monotonic() - began < LONGEST:
        Lane.objects.filter(extension=extension, name=LaneName.LIVE).update(nudged=False)
        routing.route(extension)
        planned = _plan(extension)
        worked = 0
        while time.monotonic() - began < LONGEST and (
            batch := claims.claim_batch(extension.pk, LaneName.LIVE)
        ):
            sending.work(batch)
            claims.take_lane(extension, LaneName.LIVE)
            worked += 1
        batches += worked
        extension.refresh_from_db(fields=["is_active", "health"])
        if not lanes.is_workable(extension) or not (planned or worked):
            break
    if lanes.is_workable(extension):
        batches += erasures.carry(extension)
    course.close_live_runs(extension)
    return f"{batches} batches"


def _plan(extension: Extension) -> int:
    """Due members and open deliveries into batches of this hour's run; return how many.

    Few go one by one at once; more become bulk jobs, which the other lane's workers carry, so that this
    one stays free for events. They belong to the live run all the same and wait for no other run.
    """
    limit = settings.LIVE_SINGLE_LIMIT
    due = _due(extension, DUE_AT_ONCE)
    if len(due) > limit and _is_about_to_plan(extension):
        due = []
    if not due and not _has_deliveries(extension):
        return 0
    with transaction.atomic():
        run = live_run(extension)
        planned = 0
        if due:
            lane = LaneName.LIVE if len(due) <= limit else LaneName.BULK
            scope = batching.Scope(ids=tuple(due), singles_up_to=limit, lane=lane)
            result = batching.plan_members(run, scope, 0)
            course.count(run, result)
            planned += result.pushed if lane == LaneName.LIVE else 0
            if lane == LaneName.BULK:
                lanes.send_ticket(extension.pk, LaneName.BULK)
        if extension.events_enabled:
            events = _plan_events(run)
            course.count(run, batching.Planned(None, pushed=events))
            planned += events
    return planned


def _plan_events(run: SyncRun) -> int:
    """Members with news first, with all that waits for them; other history while no job is there to carry it."""
    take = partial(
        messages.plan_deliveries,
        run,
        lane=LaneName.LIVE,
        limit=EVENTS_AT_ONCE,
        singles_up_to=settings.LIVE_SINGLE_LIMIT,
    )
    members = messages.members_with_news(run.extension_id, EVENTS_AT_ONCE)
    if members and (planned := take(members=members)):
        return planned
    is_busy = SyncRun.objects.jobs().open().filter(extension=run.extension, kind=RunKind.FULL).exists()
    return 0 if is_busy else take()


def _is_about_to_plan(extension: Extension) -> bool:
    """Whether a job is about to look at everybody who is due: then they are its to carry, lists included."""
    jobs = SyncRun.objects.jobs().filter(extension=extension, kind__in=(RunKind.FULL, RunKind.CHANGES))
    waiting = Q(status=RunStatus.QUEUED, member_ids=None)
    planning = Q(status=RunStatus.RUNNING, phase__in=(RunPhase.PREPARE, RunPhase.PLAN), member_ids=None)
    return jobs.filter(waiting | planning).exists()


def _due(extension: Extension, limit: int) -> list[int]:
    ready = Q(not_before=None) | Q(not_before__lte=timezone.now())
    due = SentProfile.objects.filter(ready, extension=extension, due_at__isnull=False, in_flight=None)
    return list(due.order_by("due_at").values_list("member_id", flat=True)[:limit])


def _has_deliveries(extension: Extension) -> bool:
    ready = Q(not_before=None) | Q(not_before__lte=timezone.now())
    return extension.events_enabled and extension.deliveries.open().filter(ready).exists()


def live_run(extension: Extension) -> SyncRun:
    """The rolling run of this hour; made by the first who needs it."""
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    key = {"extension": extension, "kind": RunKind.LIVE, "hour": hour}
    run = SyncRun.objects.filter(**key).first()
    if run is None:
        try:
            with transaction.atomic():
                run = SyncRun.objects.create(
                    **key,
                    trigger=RunTrigger.CHANGE,
                    status=RunStatus.RUNNING,
                    started_at=now,
                    progress_at=now,
                    mappings=sync.mapping_snapshot(extension),
                )
        except IntegrityError:
            run = SyncRun.objects.get(**key)
    run.extension = extension
    return run
