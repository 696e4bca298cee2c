"""Once a minute: how much of the rates is used, and how far each connection is behind."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.gateway.buckets import WINDOW
from integrations.models import Extension, FreshnessSample, RateSample, RateWindow
from integrations.services import freshness

KEPT = timedelta(days=8)


def sample(now: datetime | None = None) -> int:
    """Keep how things stand; the database takes a minute once. Returns how many rows it was given."""
    minute = (now or timezone.now()).replace(second=0, microsecond=0)
    for model in (RateSample, FreshnessSample):
        model.objects.filter(minute__lt=minute - KEPT).delete()
    rates = RateSample.objects.bulk_create(_rates(minute), ignore_conflicts=True)
    behind = FreshnessSample.objects.bulk_create(_behind(minute), ignore_conflicts=True)
    return len(rates) + len(behind)


def _rates(minute: datetime) -> list[RateSample]:
    pools: dict[str, list[tuple[int, int, bool]]] = {}
    second = time.time()
    for window in RateWindow.objects.filter(permitted__gt=0):
        calls = sum(count for at, count in window.slots.items() if int(at) > second - WINDOW)
        is_blocked = window.blocked_until > second
        if calls or is_blocked:
            pool = window.key.rpartition(":")[0] + ":"
            pools.setdefault(pool, []).append((calls, window.permitted, is_blocked))
    return [_rate(pool, minute, found) for pool, found in pools.items()]


def _rate(pool: str, minute: datetime, found: Iterable[tuple[int, int, bool]]) -> RateSample:
    found = list(found)
    return RateSample(
        pool=pool[:150],
        minute=minute,
        used=min(100, max(round(calls / permitted * 100) for calls, permitted, _ in found)),
        calls=sum(calls for calls, _, _ in found),
        is_blocked=any(is_blocked for _, _, is_blocked in found),
    )


def _behind(minute: datetime) -> list[FreshnessSample]:
    now = timezone.now()
    ids = list(Extension.objects.active().values_list("pk", flat=True))
    return [
        FreshnessSample(
            extension_id=pk, minute=minute, waiting=waits.count, oldest_seconds=waits.seconds(now)
        )
        for pk, waits in freshness.waiting(ids).items()
    ]
