"""A re-run asked for twice, as by a double click, is one re-run."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations.models import RunTrigger, SyncRun
from integrations.models.runs import OPEN_STATUSES
from integrations.services import reruns
from portal.tenancy.models import User

TWIN_SECONDS = 10


def create(
    run: SyncRun, *, failed_only: bool, force: bool = False, user: User | None, reason: str = ""
) -> SyncRun:
    """Return the re-run of `run`: one that is open or was made seconds ago, else a new one.

    The lock on the run makes the second of two clicks wait for the first. Raises ConfigurationError.
    """
    with transaction.atomic():
        SyncRun.objects.select_for_update(no_key=True).only("pk").get(pk=run.pk)
        just_now = timezone.now() - timedelta(seconds=TWIN_SECONDS)
        same = Q(status__in=OPEN_STATUSES) | Q(created_at__gte=just_now)
        twins = SyncRun.objects.filter(
            same, parent=run, only_failed=failed_only, force=force, trigger=RunTrigger.RERUN
        )
        twins = twins.exclude(mappings__has_key=reruns.CAUSE)
        return twins.order_by("-pk").first() or reruns.create(
            run, failed_only=failed_only, force=force, user=user, reason=reason
        )
