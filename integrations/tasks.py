"""Tasks: "look at this connection in this lane". Safe to run twice; a missing row is a quiet return."""

import logging

from integrations.errors import DestinationError
from integrations.models import Extension, Health, LaneName
from integrations.models.extensions import ExtensionQuerySet
from integrations.services import connections, history, jobs, lanes, relay

logger = logging.getLogger(__name__)


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
    """Hourly: does every active connection still work? Also finds one that was mended elsewhere."""
    return _check(Extension.objects.active())


def _check(extensions: ExtensionQuerySet) -> str:
    checked = 0
    for extension in extensions.select_related("tenant"):
        try:
            connections.check(extension)
        except DestinationError as error:
            logger.warning("connection %s: %s", extension.pk, error.words)
        checked += 1
    return f"{checked} connections"


def prune_history() -> str:
    """Daily: forget what is older than the settings say."""
    return str(history.prune())
