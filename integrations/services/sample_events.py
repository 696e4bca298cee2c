"""A sample event to a test address, made by the same code as the real one; nothing of the programme changes."""

import logging
from typing import Any

from auditlog.models import LogEntry
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.gateway.values import STANDARD_KEYS, EventWrite, Json, ProfileWrite
from integrations.models import Extension
from integrations.services import composing, connections, events
from loyalty import fields
from loyalty.models import Member, OutboxEvent
from loyalty.rules.event_kinds import KINDS
from portal.tenancy.models import User

logger = logging.getLogger(__name__)
MARK = "Sample"  # says true in the properties of an event that never happened


def body(extension: Extension, kind: str) -> Json:
    """The body of a call that tells of this kind, filled with sample values. Makes no query for members."""
    profile = events.profile_of(_document(extension), composing.policies_of(extension), only_names=False)
    return registry.get(extension.destination).event_body(_write(extension, kind, profile))


def send(extension: Extension, kind: str, *, email: str, user: User) -> str:
    """Send one event of this kind about `email`; return its metric. Raises DestinationError.

    It has the real metric and sample values, and says of itself that it is a sample.
    """
    if not extension.is_active:
        raise ConfigurationError(
            f"{extension.name} is switched off, so nothing is sent. Switch it on, then try again."
        )
    refuse_address(extension, email, user)
    write = _write(extension, kind, ProfileWrite(values={"email": email}), **{MARK: True})
    connections.open_channel(extension).send_event(write)
    LogEntry.objects.log_create(
        extension,
        action=LogEntry.Action.UPDATE,
        changes={"sample_event": ["", f"{write.metric} to {email}"]},
        actor=user,
    )
    logger.info("sample event %s sent by person %s over connection %s", kind, user.pk, extension.pk)
    return write.metric


def refuse_address(extension: Extension, email: str, user: User) -> None:
    """Raise ConfigurationError for the address of a member, unless it is the person's own."""
    if email == user.email.lower():
        return
    # `> ''` is said so that the partial index of the search serves.
    if Member.objects.filter(tenant_id=extension.tenant_id, email=email, email__gt="").exists():
        raise ConfigurationError(
            f"{email} is the address of a member, who would be told of something that never happened. Use your "
            "own address or one that no member has."
        )


def _write(extension: Extension, kind: str, profile: ProfileWrite, **more: Any) -> EventWrite:
    event = OutboxEvent(
        tenant_id=extension.tenant_id,
        kind=kind,
        properties={**KINDS[kind].sample, **more},
        occurred_at=timezone.now(),
    )
    return events.write_of(event, events.metric_names(extension)[kind], profile)


def _document(extension: Extension) -> dict[str, Any]:
    """A document as planning makes it, of the catalogue's sample values."""
    standard = {key: fields.get(key).sample for key in STANDARD_KEYS}
    mapped = {row.property: _sample(row.field) for row in extension.field_mappings.all()}
    properties = {name: value for name, value in mapped.items() if value is not None}
    return {**standard, "properties": properties}


def _sample(field: str) -> object:
    try:
        return fields.get(field).sample
    except fields.UnknownField:
        return None
