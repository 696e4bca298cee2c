"""Tasks: "look at this connection in this lane". Safe to run twice; a missing row is a quiet return."""

import logging
import time
from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from integrations.errors import DestinationError
from integrations.models import Extension, Health, LaneName
from integrations.models.extensions import ExtensionQuerySet
from integrations.services import connections, grants, history, jobs, lanes, relay

logger = logging.getLogger(__name__)

BUDGET_SECONDS = 40  # a task has 60, and one call may take long
FRESH_MINUTES = 50


def _extension(extension_id: int) -> Extension | None:
    return Extension.objects.working().select_related("tenant").filter(pk=extension_id).first()


def work_live(extension_id: int) -> str:
    """Carry what is due in the live lane of one connection."""
    lanes.take_ticket(extension_id, LaneName.LIVE)
    extension = _extension(extension_id)
    return relay.serve(extension) if extension else "nothing to do"


def work_bulk(extension_id: int) -> str:
    """Carry the connection's jobs for a while."""
    lanes.take_ticket(extension_id, LaneName.BULK)
    extension = _extension(extension_id)
    return jobs.serve(extension) if extension else "nothing to do"


def check_connection(extension_id: int) -> str:
    """Prove a connection whose key is new."""
    return _check(Extension.objects.active().filter(pk=extension_id, health=Health.UNCHECKED))


def check_unproven() -> str:
    """Every few minutes: connections whose first check could not be made, or was lost."""
    return _check(Extension.objects.active().filter(health=Health.UNCHECKED, secret__isnull=False))


def check_connections() -> str:
    """Hourly: does every active connection still work? Also finds one that was mended elsewhere.

    Who waited longest comes first, so what one task has no time for is first in the next.
    """
    old = timezone.now() - timedelta(minutes=FRESH_MINUTES)
    return _check(Extension.objects.active().filter(Q(checked_at=None) | Q(checked_at__lte=old)))


def keep_grants_alive() -> str:
    """Hourly: queue a look at each grant that nobody used for a day, so that none lapses unseen."""
    return f"{grants.keep_alive(timezone.now())} grants"


def keep_alive(extension_id: int) -> str:
    """Use the grant of one connection, switched off or not, and see whether it still stands."""
    extension = Extension.objects.select_related("tenant").filter(pk=extension_id, removed_at=None).first()
    if extension is None or not extension.refresh_token:
        return "nothing to do"
    try:
        grants.keep_one_alive(extension)
    except DestinationError as error:
        logger.warning("connection %s: %s", extension.pk, error.words)
        return error.words
    return "alive"


def _check(extensions: ExtensionQuerySet) -> str:
    checked, began = 0, time.monotonic()
    for extension in extensions.select_related("tenant").order_by(
        F("checked_at").asc(nulls_first=True), "pk"
    ):
        if time.monotonic() - began > BUDGET_SECONDS:
            logger.warning("%s connections checked; the rest waits for the next task", checked)
            break
        try:
            connections.check(extension)
        except DestinationError as error:
            logger.warning("connection %s: %s", extension.pk, error.words)
        checked += 1
    return f"{checked} connections"


def prune_history() -> str:
    """Daily: forget what is older than the settings say."""
    return str(history.prune())
