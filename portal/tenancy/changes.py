"""Who changed which setting of a tenant: the audit trail as its people read it.

A model takes part by being registered with auditlog and saying whose it is:
`get_additional_data()` returns {"tenant_id": …}. The entry keeps that when its object is gone.
"""

from ast import literal_eval
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from auditlog.models import LogEntry
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst

from portal.tenancy.models import Tenant
from portal.tenancy.secrets import DOTS, EncryptedTextField

PAGE = 50
VERBS = {0: "Added", 1: "Changed", 2: "Removed"}
# What the sentence says already, or what says nothing to people.
UNSAID = {
    "id",
    "slug",
    "tenant",
    "user",
    "extension",
    "created_at",
    "issued_by",
    "invited_by",
    "hint",
    "key",
    "audience",
}
EMPTY = ("", "None", "null", "[]", None)
# Where the name of a model is not what people call it.
KINDS = {
    "membership": "person in the team",
    "tenant": "general settings",
    "dismissal": "failures put aside",
}
LABELS = {"sample_event": "Sample event sent"}  # what is no field of a model


@dataclass(frozen=True)
class Line:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One entry; `who` is empty where no person was signed in: a command, a file, the portal itself."""

    entry_id: int
    at: datetime
    who: str
    verb: str
    kind: str
    name: str
    lines: list[Line] = field(default_factory=list)


def recent(tenant: Tenant, *, before: int | None = None) -> tuple[list[Change], int | None]:
    """The newest changes, and the id to go on before, or None at the end. One query."""
    found = LogEntry.objects.filter(additional_data__tenant_id=tenant.pk)
    found = found.select_related("actor", "content_type").order_by("-id")
    if before is not None:
        found = found.filter(pk__lt=before)
    entries = list(found[: PAGE + 1])
    following = entries[PAGE - 1].pk if len(entries) > PAGE else None
    return [change_of(entry) for entry in entries[:PAGE]], following


def change_of(entry: LogEntry) -> Change:
    """What an entry says, in words; with its `actor` and `content_type` at hand it asks nothing."""
    model = entry.content_type.model_class()
    kind = str(model._meta.verbose_name) if model else entry.content_type.name
    return Change(
        entry_id=entry.pk,
        at=entry.timestamp,
        who=(entry.actor.get_full_name() or entry.actor.email) if entry.actor else entry.actor_email or "",
        verb=VERBS.get(entry.action, "Changed"),
        kind=KINDS.get(kind, kind),
        name=entry.object_repr,
        lines=list(_lines(model, entry.changes or {})),
    )


def _lines(model: type[models.Model] | None, changes: dict[str, Any]) -> Iterator[Line]:
    for name, values in changes.items():
        try:
            known: Any = model._meta.get_field(name) if model else None
        except FieldDoesNotExist:  # an older version had it
            known = None
        if name in UNSAID or not isinstance(values, list) or (known and not known.concrete):
            continue
        before, after = (_shown(known, value) for value in values)
        if before != after:
            label = known.verbose_name if known else LABELS.get(name, name.replace("_", " "))
            yield Line(capfirst(str(label)), before, after)


def _shown(known: Any, value: Any) -> str:
    if value in EMPTY:
        return ""
    if isinstance(known, EncryptedTextField):
        return DOTS
    if isinstance(known, models.DateTimeField) and (moment := parse_datetime(str(value))):
        moment = moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)  # as auditlog writes it
        return f"{timezone.localtime(moment):%-d %B %Y, %H:%M}"
    if str(value).startswith("[") and isinstance(known, ArrayField):
        return ", ".join(str(part) for part in literal_eval(str(value)))
    words = {"True": "yes", "False": "no"}.get(str(value), str(value))
    choices = known.flatchoices if known else ()
    return next((str(label) for key, label in choices if str(key) == words), words)
