"""Starting and stopping runs: one job a connection at a time, one of a kind behind it."""

import logging
from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.models import (
    Delivery,
    Extension,
    LaneName,
    RunKind,
    RunStatus,
    RunTrigger,
    SyncBatch,
    SyncRun,
)
from integrations.services import lanes, routing
from portal.tenancy.models import User

logger = logging.getLogger(__name__)


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
    refuse_events_off(extension, kind)
    run = _queue(extension, kind, trigger, user, reason, force)
    wake(run)
    return run


def refuse_events_off(extension: Extension, kind: str) -> None:
    """Raise ConfigurationError for a run of events where the connection sends none."""
    if kind == RunKind.EVENTS and not extension.events_enabled:
        raise ConfigurationError(
            f"The connection {extension.name} sends no events. Switch its events on, then start again."
        )


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
        marked = Extension.objects.filter(pk=extension.pk, full_due_at=extension.full_due_at)
        if marked.update(full_due_at=None, full_due_reason=""):
            reason = extension.full_due_reason or "Many members changed"
            start(extension, kind=RunKind.FULL, trigger=RunTrigger.CHANGE, reason=reason)


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
        logger.info("run %s of connection %s cancelled by %s", run.pk, run.extension_id, by)
        routing.let_go(SyncBatch.objects.filter(run=run, state="planned", owner=None))
        if run.kind == RunKind.FULL and run.parent_id is None:
            # History that it was about to tell is told by the next full run, not by the live lane now.
            Delivery.objects.open().filter(extension_id=run.extension_id, history=True).delete()
    return True
