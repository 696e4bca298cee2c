"""How far the other side is behind: what waits now, and how it was by the hour of the last day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Max
from django.db.models.functions import TruncHour
from django.utils import timezone

from integrations.models import Extension, FreshnessSample
from integrations.services.rate_use import each_hour, first_hour

# What a change may take; the overview draws it as a band (design section 9: p99 under 3 seconds).
PROMISE_SECONDS = 3

# Each part reads a partial index: due members, events to be told live, events not yet routed.
_WAITING = """
    SELECT extension_id, sum(n), min(oldest) FROM (
        SELECT extension_id, count(*) AS n, min(due_at) AS oldest FROM integrations_sentprofile
        WHERE extension_id = ANY(%(ids)s) AND due_at IS NOT NULL AND due_at <= now() GROUP BY 1
        UNION ALL
        SELECT v.extension_id, count(*), min(o.created_at) FROM integrations_delivery v
        JOIN loyalty_outboxevent o ON o.id = v.event_id
        WHERE v.extension_id = ANY(%(ids)s) AND v.state = 'open' AND NOT v.history GROUP BY 1
        UNION ALL
        SELECT e.id, count(*), min(o.created_at) FROM loyalty_outboxevent o
        JOIN integrations_extension e ON e.tenant_id = o.tenant_id
        WHERE e.id = ANY(%(ids)s) AND o.routed_at IS NULL GROUP BY 1
    ) AS parts GROUP BY extension_id
"""


@dataclass(frozen=True)
class Waiting:
    """How many changes have not arrived yet, and since when the oldest waits."""

    count: int
    since: datetime | None

    def seconds(self, now: datetime) -> int:
        return max(0, round((now - self.since).total_seconds())) if self.since else 0


@dataclass(frozen=True)
class Hour:
    """The longest that anything waited in this hour, in seconds; None where nothing was measured."""

    at: datetime
    seconds: int | None = None


def waiting(extension_ids: Collection[int]) -> dict[int, Waiting]:
    """For each connection, in one query; with nothing waiting, too."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"ids": list(extension_ids)})
        found = {pk: Waiting(int(count), since) for pk, count, since in cursor.fetchall()}
    return {pk: found.get(pk, Waiting(0, None)) for pk in extension_ids}


def hours(extension: Extension, now: datetime | None = None) -> list[Hour]:
    """Oldest first."""
    first = first_hour(now or timezone.now())
    rows = (
        FreshnessSample.objects.filter(extension=extension, minute__gte=first)
        .annotate(at=TruncHour("minute"))
        .values("at")
        .annotate(longest=Max("oldest_seconds"))
    )
    found = {row["at"]: row["longest"] for row in rows}
    return [Hour(at, found.get(at)) for at in each_hour(first)]
