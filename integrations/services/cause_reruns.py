"""Running one cause of failures again, over all runs that it is in: one narrow run of its connection."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.models import Extension, RunKind, RunTrigger, SyncRun
from integrations.models.runs import OPEN_STATUSES
from integrations.services import failure_desk, rerun_outlook, reruns, sync
from integrations.services.rerun_once import TWIN_SECONDS
from integrations.services.rerun_outlook import Outlook
from portal.tenancy.models import User


def outlook(extension: Extension, code: str) -> Outlook:
    """What a re-run of the cause would find. Changes nothing."""
    return rerun_outlook.of_rows(extension, failure_desk.open_rows(extension, code))


def create(extension: Extension, code: str, *, user: User | None, reason: str = "") -> SyncRun:
    """Run the open rows of a cause again; a double click finds the run that is open or was made just now.

    Raises NothingToDo when none is open, ConfigurationError when the connection or its events are off.
    """
    if not extension.is_active:
        raise ConfigurationError(
            f"The connection {extension.name} is switched off. Switch it on, then run again."
        )
    with transaction.atomic():
        # The second of two clicks waits here for the first.
        Extension.objects.select_for_update(no_key=True).only("pk").get(pk=extension.pk)
        twin = _twin(extension, code)
        if twin:
            return twin
        again = _narrow(extension, code)
        again.started_by, again.reason = user, reason[:300]
        again.save()
    sync.wake(again)
    return again


def _twin(extension: Extension, code: str) -> SyncRun | None:
    just_now = timezone.now() - timedelta(seconds=TWIN_SECONDS)
    same = Q(status__in=OPEN_STATUSES) | Q(created_at__gte=just_now)
    found = SyncRun.objects.filter(
        same,
        extension=extension,
        trigger=RunTrigger.RERUN,
        only_failed=True,
        **{f"mappings__{reruns.CAUSE}": code},
    )
    return found.order_by("-pk").first()


def _narrow(extension: Extension, code: str) -> SyncRun:
    """Its parent is the newest run with such a row: a re-run sends refused data as it is, whoever's it was."""
    rows = failure_desk.open_rows(extension, code)
    parent = rows.aggregate(newest=Max("run"))["newest"]
    if parent is None:
        raise reruns.NothingToDo("Nothing to do: every row of this cause has arrived or was put aside.")
    members = set(rows.filter(delivery_id=None).values_list("member_id", flat=True))
    deliveries = {pk for pk in rows.values_list("delivery_id", flat=True) if pk is not None}
    if not members:
        sync.refuse_events_off(extension, RunKind.EVENTS)
    return SyncRun(
        extension=extension,
        kind=RunKind.CHANGES,
        trigger=RunTrigger.RERUN,
        parent_id=parent,
        only_failed=True,
        member_ids=sorted(members),
        delivery_ids=sorted(deliveries) if extension.events_enabled else [],
        mappings={**sync.mapping_snapshot(extension), reruns.CAUSE: code},
    )
