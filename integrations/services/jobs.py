"""The bulk lane: batches in parallel, the run's next step by one at a time."""

import random
import time
from datetime import timedelta

from django.utils import timezone

from integrations.errors import DestinationError
from integrations.models import Extension, Health, LaneName, RunStatus, SyncRun
from integrations.planning import retries
from integrations.services import claims, course, health, lanes, sending

ALWAYS = 1_000  # a step of a run is never given up, only tried ever more rarely
LONGEST = 20.0  # seconds in one task, so that other tenants get their turn


def serve(extension: Extension) -> str:
    """Work on the connection's batches and run until nothing is due now, or the time is up."""
    began, steps = time.monotonic(), 0
    _go_on(extension)
    while time.monotonic() - began < LONGEST:
        batch = claims.claim_batch(extension.pk, LaneName.BULK)
        if batch is not None:
            _share(extension)
            sending.work(batch)
        elif not _advance(extension):
            return f"{steps} steps"
        steps += 1
        extension.refresh_from_db(fields=["is_active", "health", "health_reason"])
        if not lanes.is_workable(extension):
            _wait(extension)
            return f"{steps} steps, then paused"
    lanes.send_ticket(extension.pk, LaneName.BULK)
    return f"{steps} steps, more to do"


def _share(extension: Extension) -> None:
    """While this one sends, another worker may take the next batch."""
    if claims.has_due_batch(extension.pk, LaneName.BULK):
        lanes.send_ticket(extension.pk, LaneName.BULK)


def _advance(extension: Extension) -> bool:
    if not claims.take_lane(extension, LaneName.BULK):
        return False
    try:
        return course.advance(extension)
    except DestinationError as error:
        _pause(extension, error)
        return False
    finally:
        claims.leave_lane(extension, LaneName.BULK)


def _wait(extension: Extension) -> None:
    """A batch met something that a person must mend: the run waits with it, and says for what."""
    if extension.health == Health.ATTENTION:
        runs = SyncRun.objects.jobs().filter(extension=extension, status=RunStatus.RUNNING)
        runs.update(status=RunStatus.WAITING, note=extension.health_reason)


def _go_on(extension: Extension) -> None:
    """The connection works again, or this task would not be here."""
    waiting = SyncRun.objects.jobs().filter(extension=extension, status=RunStatus.WAITING)
    waiting.update(status=RunStatus.RUNNING, note="")


def _pause(extension: Extension, error: DestinationError) -> None:
    """The step could not be done now; the run says what it waits for and the clock comes back to it."""
    health.attention(extension, error)
    for run in SyncRun.objects.jobs().filter(extension=extension, status__in=course.ACTIVE):
        retry = retries.decide(error, run.failures + 1, ALWAYS, random.random())
        SyncRun.objects.filter(pk=run.pk).update(
            note=error.words[:500],
            status=RunStatus.WAITING if retry.needs_person else RunStatus.RUNNING,
            failures=min(run.failures + 1, ALWAYS - 1),
            not_before=timezone.now() + timedelta(seconds=retry.after or 0.0),
        )
