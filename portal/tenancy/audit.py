"""Who changed which setting, over all tenants: filtered, a page at a time or as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import capfirst

from portal import spreadsheet
from portal.tenancy import changes
from portal.tenancy.changes import Change
from portal.tenancy.models import Tenant

PAGE = 50
TENANTS_AT_MOST = 200
HEAD = ("entry", "time (UTC)", "programme", "who", "what", "name", "field", "before", "after")


@dataclass(frozen=True)
class Wanted:
    """`tenant` and `person` are parts of a name or e-mail, `kind` a model's label, `days` how far back."""

    tenant: str = ""
    person: str = ""
    kind: str = ""
    days: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class Entry:
    change: Change
    tenant: str  # "" where it is no tenant's: people, groups


def kinds() -> list[tuple[str, str]]:
    """The models whose changes are kept: label and words."""
    found = [(model._meta.label_lower, str(model._meta.verbose_name)) for model in auditlog.get_models()]
    return sorted((label, capfirst(changes.KINDS.get(words, words))) for label, words in found)


def page(wanted: Wanted) -> tuple[list[Entry], int | None]:
    """The newest entries, and the id to go on before, or None at the end."""
    found = list(entries(wanted)[: PAGE + 1])
    following = found[PAGE - 1].pk if len(found) > PAGE else None
    return _told(found[:PAGE]), following


def entries(wanted: Wanted) -> QuerySet[Any]:
    found: QuerySet[Any] = LogEntry.objects.select_related("actor", "content_type").order_by("-id")
    if wanted.tenant:
        of_name = Tenant.objects.filter(Q(slug=wanted.tenant) | Q(name__icontains=wanted.tenant))
        ids = list(of_name.values_list("pk", flat=True)[:TENANTS_AT_MOST])
        found = found.filter(additional_data__tenant_id__in=ids)
    if wanted.person:
        by = Q(actor__email__icontains=wanted.person) | Q(actor_email__icontains=wanted.person)
        found = found.filter(by)
    if wanted.kind:
        label, _, model = wanted.kind.partition(".")
        found = found.filter(
            content_type__in=ContentType.objects.filter(app_label=label, model=model).values("pk")
        )
    if wanted.days is not None:
        found = found.filter(timestamp__gte=timezone.now() - timedelta(days=wanted.days))
    return found if wanted.before is None else found.filter(pk__lt=wanted.before)


def _told(found: list[LogEntry]) -> list[Entry]:
    names = Tenant.objects.in_bulk([pk for entry in found if (pk := _tenant_id(entry))])
    return [Entry(changes.change_of(entry), str(names.get(_tenant_id(entry) or 0) or "")) for entry in found]


def _tenant_id(entry: LogEntry) -> int | None:
    found = (entry.additional_data or {}).get("tenant_id")
    return found if isinstance(found, int) else None


def lines(wanted: Wanted) -> Iterator[str]:
    """All that the filter lets through, for a spreadsheet: one line for each field that changed."""
    names = dict(Tenant.objects.values_list("pk", "name"))
    found = entries(wanted).iterator(chunk_size=500)
    return spreadsheet.lines(HEAD, (row for entry in found for row in _rows(entry, names)))


def _rows(entry: LogEntry, names: dict[int, str]) -> Iterator[tuple[Any, ...]]:
    change = changes.change_of(entry)
    about = (
        change.entry_id,
        f"{change.at:%Y-%m-%d %H:%M:%S}",
        names.get(_tenant_id(entry) or 0, ""),
        change.who or "the portal or a command",
        f"{change.verb}: {change.kind}",
        change.name,
    )
    if not change.lines:
        yield (*about, "", "", "")
    for line in change.lines:
        yield (*about, line.label, line.before, line.after)
