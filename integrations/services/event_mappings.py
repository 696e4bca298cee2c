"""Events of the programme and their metrics at one connection: what is on, what it is called, how often it was sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.models import Delivery, DeliveryState, EventMapping, Extension
from integrations.services import routing
from loyalty.rules.event_kinds import KINDS, EventKind
from portal.tenancy.models import Tenant

DAYS = 30  # how far back events are counted
DISCARDED = "discarded"


@dataclass(frozen=True)
class Told:
    """One event kind at one connection."""

    kind: EventKind
    metric: str
    is_enabled: bool
    sent: int = 0  # in the last DAYS
    last_at: datetime | None = None
    waiting: int = 0

    @property
    def is_renamed(self) -> bool:
        return self.metric != self.kind.metric


def connections_of(tenant: Tenant) -> list[Extension]:
    """The tenant's connections to destinations that are installed, those that are switched on first."""
    found = Extension.objects.for_tenant(tenant).filter(destination__in=registry.destinations())
    found = found.defer("secret", "refresh_token")
    return list(found.prefetch_related("event_mappings").order_by("-is_active", "name"))


def told(extension: Extension, *, only: str = "", counts_sent: bool = True) -> list[Told]:
    """Every event kind, or the one called `only`, with what waits and what was sent of it. Two queries.

    Counting what was sent reads a month of deliveries: leave it out where nobody looks at the number.
    """
    rows = {row.kind: row for row in extension.event_mappings.all()}
    figures = _figures(extension, counts_sent)
    return [
        _told(kind, rows.get(key), figures.get(key, {}))
        for key, kind in KINDS.items()
        if not only or key == only
    ]


def _told(kind: EventKind, row: EventMapping | None, figures: Mapping[str, Any]) -> Told:
    metric, is_enabled = (row.metric, row.is_enabled) if row else (kind.metric, True)
    return Told(kind, metric, is_enabled, **figures)


def _figures(extension: Extension, counts_sent: bool) -> dict[str, dict[str, Any]]:
    """By kind. What waits has an index of its own, so it is asked by itself."""
    mine = Delivery.objects.filter(extension=extension).order_by()
    since = timezone.now() - timedelta(days=DAYS)
    waiting = mine.filter(state__in=(DeliveryState.OPEN, DeliveryState.SENDING))
    sent = mine.filter(state=DeliveryState.SENT, settled_at__gte=since)
    figures: dict[str, dict[str, Any]] = {}
    for kind, count in waiting.values_list("event__kind").annotate(Count("pk")):
        figures[kind] = {"waiting": count}
    if not counts_sent:
        return figures
    for kind, count, last_at in sent.values_list("event__kind").annotate(Count("pk"), Max("settled_at")):
        figures.setdefault(kind, {}).update(sent=count, last_at=last_at)
    return figures


def switch(extension: Extension, kind: str, *, is_enabled: bool, discards: bool = False) -> int:
    """Send events of this kind from now on, or no longer; return how many that waited were discarded.

    Off: those that happened already are sent all the same, unless `discards`. What happens while it is off is
    told by the next full run after it is on again, as history.
    """
    with transaction.atomic():
        if not is_enabled and extension.is_active:
            routing.route(extension)  # what happened before this moment waits, and is not forgotten
        EventMapping.objects.update_or_create(
            extension=extension,
            kind=kind,
            defaults={"is_enabled": is_enabled},
            create_defaults={"metric": KINDS[kind].metric, "is_enabled": is_enabled},
        )
        if is_enabled or not discards:
            return 0
        return (
            Delivery.objects.open()
            .filter(extension=extension, event__kind=kind)
            .update(
                state=DeliveryState.HELD,
                code=DISCARDED,
                words="Discarded when this event was switched off.",
                settled_at=timezone.now(),
            )
        )


def rename(extension: Extension, kind: str, metric: str) -> None:
    """Send this kind under another metric from now on. Raises ConfigurationError for a name that cannot be."""
    refuse_metric(extension, kind, metric)
    EventMapping.objects.update_or_create(extension=extension, kind=kind, defaults={"metric": metric})


def refuse_metric(extension: Extension, kind: str, metric: str) -> None:
    """Raise ConfigurationError for a name that the destination refuses or another kind has."""
    registry.get(extension.destination).validate_property(metric)
    for other in metrics(extension):
        if other.kind.key != kind and other.metric.casefold() == metric.casefold():
            raise ConfigurationError(
                f"“{other.metric}” is the metric of “{other.kind.label}” already. Two events under one name could "
                "not be told apart in a flow. Choose another name."
            )


def metrics(extension: Extension) -> list[Told]:
    """Every kind with its metric, without figures."""
    rows = {row.kind: row for row in extension.event_mappings.all()}
    return [_told(kind, rows.get(key), {}) for key, kind in KINDS.items()]
