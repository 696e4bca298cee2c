"""One claimed batch, one step: send it, look at its job, or settle it. And what follows a failure."""

import logging
import random
from collections.abc import Callable

from django.conf import settings
from django.db import connection, transaction

from integrations.errors import DestinationError, Temporary, UnexpectedAnswer
from integrations.gateway.port import Channel
from integrations.gateway.values import BatchKind
from integrations.models import BatchState, Health, RunStatus, SyncBatch
from integrations.planning import manifest, retries
from integrations.planning.manifest import Row
from integrations.services import (
    claims,
    connections,
    events,
    health,
    listing,
    profiles,
    routing,
    settle,
    singles,
)

logger = logging.getLogger(__name__)

SEND: dict[BatchKind, Callable[[SyncBatch, Channel], None]] = {
    BatchKind.PROFILES: profiles.send,
    BatchKind.SINGLES: singles.send,
    BatchKind.EVENTS: events.send,
    BatchKind.SINGLE_EVENTS: events.send_singly,
    BatchKind.JOINS: listing.send,
    BatchKind.LEAVES: listing.send,
}


def work(batch: SyncBatch) -> None:
    """Do the next step of a batch that we have just claimed. Never raises a DestinationError."""
    if _is_let_go(batch):
        return
    channel = None
    try:
        channel = connections.open_channel(batch.extension)
        if batch.state in (BatchState.ACCEPTED, BatchState.SETTLING):
            profiles.look(batch, channel)
        else:
            SEND[BatchKind(batch.kind)](batch, channel)
    except claims.Lost:
        logger.warning("batch %s went to another worker", batch.pk)
    except DestinationError as error:
        _after_failure(batch, error)
    except Exception as error:  # our own fault: shown at the batch and tried again, never swallowed
        logger.exception("batch %s of run %s failed in our own code", batch.pk, batch.run_id)
        _after_failure(batch, Temporary(f"The portal failed: {type(error).__name__}.", code="portal_error"))
    finally:
        _count_calls(batch, channel.calls if channel else 0)


def _is_let_go(batch: SyncBatch) -> bool:
    """Nothing is sent any more for a cancelled run, nor by a batch that its workers never survived."""
    if batch.state not in (BatchState.PLANNED, BatchState.SENDING):
        return False
    if batch.run.status == RunStatus.CANCELLED:
        with transaction.atomic():
            routing.let_go(claims.owned(batch))
        return True
    if batch.attempts > settings.BATCH_ATTEMPTS:
        words = batch.words or "The worker that sent it ended each time."
        give_up(batch, Temporary(words, code=batch.code or "worker_lost"))
        return True
    return False


def _after_failure(batch: SyncBatch, error: DestinationError) -> None:
    retry = retries.decide(error, batch.attempts, settings.BATCH_ATTEMPTS, random.random())
    logger.warning("batch %s: %s (%s), again in %s s", batch.pk, error.words, error.code, retry.after)
    if retry.needs_person:
        health.set_health(batch.extension, Health.ATTENTION, error.words)
    if batch.state in (BatchState.ACCEPTED, BatchState.SETTLING):
        _after_failed_look(batch, error, retry)
        return
    if retry.after is not None:
        claims.release(batch, seconds=retry.after, counts=retry.counts, words=error.words, code=error.code)
        return
    give_up(batch, error)


def _after_failed_look(batch: SyncBatch, error: DestinationError, retry: retries.Retry) -> None:
    """A look at a job is not an attempt; only the deadline ends it."""
    if profiles.is_overdue(batch):
        give_up(
            batch,
            UnexpectedAnswer(
                f"The job did not end within {settings.POLL_DEADLINE_HOURS} hours.", code="job_overdue"
            ),
        )
        return
    after = retry.after if retry.after is not None else retries.LONGEST_DELAY
    claims.release(batch, seconds=max(after, 1.0), words=error.words, code=error.code)


def give_up(batch: SyncBatch, error: DestinationError) -> None:
    """Dead and visible: every row that has no verdict yet is failed, with the reason."""
    rows = manifest.load(batch.manifest) or _bare_rows(batch)
    for row in rows:
        if row.is_pending:
            row.fail(error.code, f"Gave up after {batch.attempts} attempts: {error.words}")
    batch.code, batch.words = error.code, error.words
    settle.settle(batch, rows, state=BatchState.DEAD)


def _bare_rows(batch: SyncBatch) -> list[Row]:
    """Rows of a batch that was never packed."""
    if batch.delivery_ids:
        return events.bare_rows(batch)
    return [Row(member_id=member_id) for member_id in batch.member_ids]


def _count_calls(batch: SyncBatch, calls: int) -> None:
    if not calls:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_syncbatch SET calls = calls + %s WHERE id = %s", [calls, batch.pk]
        )
        cursor.execute(
            "UPDATE integrations_syncrun SET calls = calls + %s WHERE id = %s", [calls, batch.run_id]
        )
