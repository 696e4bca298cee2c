"""How well a connection does, as stored and shown."""

import logging

from django.utils import timezone

from integrations.errors import AuthenticationError, DestinationError
from integrations.models import Extension, Health
from integrations.planning import retries
from portal.runtime import queue

logger = logging.getLogger(__name__)


def attention(extension: Extension, error: DestinationError) -> None:
    """Pause the connection when a person must mend something; temporary trouble does not."""
    if retries.decide(error, 1, 2, 0).needs_person and not _is_of_before(extension, error):
        set_health(extension, Health.ATTENTION, error.words)


def _is_of_before(extension: Extension, error: DestinationError) -> bool:
    """Whether the key that was refused has been replaced while the call was on its way."""
    if not isinstance(error, AuthenticationError):
        return False
    return Extension.objects.only("secret").get(pk=extension.pk).secret != extension.secret


def set_health(extension: Extension, health: Health, words: str) -> None:
    if extension.health == health and extension.health_reason == words[:500]:
        return
    if extension.health != health:
        extension.health_since = timezone.now()
    extension.health, extension.health_reason = health, words[:500]
    extension.save(update_fields=["health", "health_reason", "health_since"])
    if health == Health.OK:
        logger.info("connection %s works", extension.pk)
    else:
        logger.warning("connection %s is now %s: %s", extension.pk, health, words or "no reason given")


def forget(extension: Extension) -> None:
    """A new key or address proves nothing yet; a worker asks for the proof where the connection is active."""
    extension.health, extension.health_reason = Health.UNCHECKED, ""
    extension.health_since = timezone.now()
    extension.save(update_fields=["health", "health_reason", "health_since"])
    ask_for_proof(extension)


def ask_for_proof(extension: Extension) -> None:
    """Calls that succeed do not say which account they reach, so a worker asks for a proof of its own."""
    if extension.is_active and extension.secret and extension.health == Health.UNCHECKED:
        queue.enqueue("integrations.tasks.check_connection", extension.pk, lane="bulk")
