"""How much of what a destination permits was used, by the hour of the last day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Max, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from integrations.models import Extension, RateSample

SHOWN_HOURS = 24


@dataclass(frozen=True)
class Hour:
    """`used`: per cent in the busiest minute of the hour; `is_blocked`: we were asked to wait."""

    at: datetime
    used: int = 0
    calls: int = 0
    is_blocked: bool = False


def pool_of(extension: Extension) -> str:
    """What the keys of this account's buckets begin with: destination, account, kind of credentials."""
    return f"{extension.destination}:{extension.account_id}:{extension.auth_method}:"


def hours(extension: Extension, now: datetime | None = None) -> list[Hour]:
    """Oldest first; hours without a call are there with zeros."""
    first = first_hour(now or timezone.now())
    rows = (
        RateSample.objects.filter(pool=pool_of(extension), minute__gte=first)
        .annotate(at=TruncHour("minute"))
        .values("at")
        .annotate(most=Max("used"), total=Sum("calls"), waits=BoolOr("is_blocked"))
    )
    found = {row["at"]: Hour(row["at"], row["most"], row["total"], row["waits"]) for row in rows}
    return [found.get(at, Hour(at)) for at in each_hour(first)]


def first_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=SHOWN_HOURS - 1)


def each_hour(first: datetime) -> list[datetime]:
    return [first + timedelta(hours=step) for step in range(SHOWN_HOURS)]
