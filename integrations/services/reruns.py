"""Running again: the whole job, or only what did not arrive."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from integrations.errors import ConfigurationError
from integrations.models import BatchState, RunKind, RunTrigger, SyncBatch, SyncRow, SyncRun, Verdict
from integrations.services import sync
from portal.tenancy.models import User

CAUSE = "cause"  # among a run's `mappings`: it does again one cause of failures, over many runs
NOT_ARRIVED = (Verdict.REJECTED, Verdict.FAILED, Verdict.HELD)


class NothingToDo(ConfigurationError):
    """Every row of the run has arrived, or was mended since."""

    code = "nothing_to_do"


@dataclass(frozen=True)
class Forecast:
    """What a re-run would look at: members and events that did not arrive and are not mended since."""

    members: int
    events: int
    healed: int


def open_rows(run: SyncRun) -> QuerySet[SyncRow]:
    """Rows of the run that did not arrive, that no later row mended and that nobody put aside."""
    return SyncRow.objects.filter(run=run, verdict__in=NOT_ARRIVED, healed_at=None, dismissal=None)


def forecast(run: SyncRun) -> Forecast:
    rows = open_rows(run)
    return Forecast(
        members=rows.filter(delivery_id=None).values("member_id").distinct().count(),
        events=rows.filter(delivery_id__isnull=False).count(),
        healed=SyncRow.objects.filter(run=run, verdict__in=NOT_ARRIVED, healed_at__isnull=False).count(),
    )


def create(
    run: SyncRun, *, failed_only: bool, force: bool = False, user: User | None = None, reason: str = ""
) -> SyncRun:
    """Start a re-run of `run`; a double click finds the one that waits already.

    Raises NothingToDo when all of it arrived, and ConfigurationError when the run is not over or the
    connection is off.
    """
    _refuse(run)
    with transaction.atomic():
        SyncRun.objects.select_for_update(no_key=True).get(pk=run.pk)
        waiting = (
            SyncRun.objects.filter(parent=run, status="queued", only_failed=failed_only, force=force)
            .exclude(mappings__has_key=CAUSE)
            .first()
        )
        if waiting:
            return waiting
        again = SyncRun(
            extension=run.extension,
            kind=_kind(run),
            trigger=RunTrigger.RERUN,
            started_by=user,
            reason=reason[:300],
            force=force,
            parent=run,
            only_failed=failed_only,
            mappings=sync.mapping_snapshot(run.extension),
        )
        if failed_only:
            _narrow(again, run)
        elif run.member_ids is not None or run.kind in (RunKind.LIVE, RunKind.CHANGES):
            again.member_ids, again.delivery_ids = touched(run), _deliveries(run)
        else:
            again.delivery_ids = _deliveries(run)
        again.save()
    sync.wake(again)
    return again


def _refuse(run: SyncRun) -> None:
    """Raise ConfigurationError for a run that cannot be run again now."""
    if run.is_open and run.kind != RunKind.LIVE:
        raise ConfigurationError(f"Run #{run.pk} is not over yet. Wait for its end, or cancel it first.")
    if not run.extension.is_active:
        raise ConfigurationError(
            f"The connection {run.extension.name} is switched off. Switch it on, then run again."
        )
    sync.refuse_events_off(run.extension, run.kind)


def _kind(run: SyncRun) -> str:
    """A live run has no plan to repeat; its members are looked at as changes."""
    return RunKind.CHANGES if run.kind == RunKind.LIVE else run.kind


def _narrow(again: SyncRun, run: SyncRun) -> None:
    rows = open_rows(run)
    again.member_ids = sorted(set(rows.filter(delivery_id=None).values_list("member_id", flat=True)))
    again.delivery_ids = _deliveries(run)
    if not again.member_ids and not again.delivery_ids:
        raise NothingToDo(f"Nothing to do: every row of run #{run.pk} has arrived or was mended since.")


def touched(run: SyncRun) -> list[int]:
    """The members of a run of some members: those with a row, and those whom its cancelling let go."""
    members = set(SyncRow.objects.filter(run=run, delivery_id=None).values_list("member_id", flat=True))
    let_go = SyncBatch.objects.filter(run=run, state=BatchState.DEAD, code="cancelled")
    return sorted(members.union(*let_go.values_list("member_ids", flat=True)))


def _deliveries(run: SyncRun) -> list[int]:
    """The events of the run that did not arrive."""
    return sorted(pk for pk in open_rows(run).values_list("delivery_id", flat=True) if pk is not None)
