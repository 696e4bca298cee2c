"""What a connection carries and when something arrived last, for several connections at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Q, QuerySet
from django.db.models.functions import Coalesce

from integrations.models import (
    AudienceMapping,
    Delivery,
    EventMapping,
    Extension,
    FieldMapping,
    SentProfile,
    SyncRun,
)
from loyalty.rules.event_kinds import KINDS
from portal.tenancy.models import Tenant


@dataclass(frozen=True)
class Figures:
    """`events` counts the kinds that are sent; `waiting_*` what is due and not sent yet."""

    fields: int = 0
    events: int = 0
    lists: int = 0
    waiting_members: int = 0
    waiting_events: int = 0
    last_arrival: datetime | None = None


def listed(tenant: Tenant) -> QuerySet[Extension]:
    """A tenant's connections without their secrets, each told by `has_secret` whether it has one."""
    given = ExpressionWrapper(Q(secret__isnull=False), output_field=BooleanField())
    found = Extension.objects.for_tenant(tenant).defer("secret", "refresh_token")
    return found.annotate(has_secret=given).order_by("-is_active", "name")


def figures(extensions: Sequence[Extension]) -> dict[int, Figures]:
    """By the connection's id; six queries, however many there are."""
    ids = [extension.pk for extension in extensions]
    fields = _counted(FieldMapping.objects.filter(extension__in=ids))
    unsent = _counted(EventMapping.objects.filter(extension__in=ids, is_enabled=False, kind__in=KINDS))
    lists = _counted(AudienceMapping.objects.filter(extension__in=ids, ending_at=None))
    members = _counted(SentProfile.objects.filter(extension__in=ids, due_at__isnull=False))
    events = _counted(Delivery.objects.open().filter(extension__in=ids))
    arrivals = _last_arrivals(ids)
    return {
        extension.pk: Figures(
            fields=fields.get(extension.pk, 0),
            events=len(KINDS) - unsent.get(extension.pk, 0) if extension.events_enabled else 0,
            lists=lists.get(extension.pk, 0),
            waiting_members=members.get(extension.pk, 0),
            waiting_events=events.get(extension.pk, 0),
            last_arrival=arrivals.get(extension.pk),
        )
        for extension in extensions
    }


def _counted(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("extension").annotate(Count("pk")))


def _last_arrivals(ids: Sequence[int]) -> dict[int, datetime]:
    moment = Coalesce("progress_at", "finished_at", "created_at")
    found = SyncRun.objects.filter(extension__in=ids, sent__gt=0).order_by()
    return dict(found.values_list("extension").annotate(last=Max(moment)))


def metrics(extension: Extension) -> list[str]:
    """The names under which the connection's events arrive, without those that are not sent."""
    mapped = {row.kind: row for row in extension.event_mappings.all()}
    return [
        mapped[key].metric if key in mapped else kind.metric
        for key, kind in KINDS.items()
        if key not in mapped or mapped[key].is_enabled
    ]
