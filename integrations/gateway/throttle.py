"""The shared throttle: every call of every process asks here first.

One row per bucket, locked for the moment of the arithmetic. No call to a destination is made while the
lock is held.
"""

import logging
import time

from django.db import transaction

from integrations.errors import RateLimited
from integrations.gateway import buckets
from integrations.models.rates import RateWindow

logger = logging.getLogger(__name__)

# A worker may sleep this long for a slot; what takes longer goes back to the queue with a not-before.
LONGEST_SLEEP = 2.0


def acquire(key: str, rate: buckets.Rate) -> float:
    """Wait for one slot of the bucket; return the seconds waited.

    Raises RateLimited with the seconds to wait when the slot is more than LONGEST_SLEEP away.
    """
    waited = 0.0
    while True:
        wait = _take(key, rate)
        if wait <= 0:
            return waited
        if waited + wait > LONGEST_SLEEP:
            raise RateLimited("The rate that the destination permits is used up for now.", seconds=wait)
        time.sleep(wait)
        waited += wait


def block(key: str, seconds: float) -> None:
    """The destination refused a call and asked us to wait: nobody calls this bucket before that."""
    until = time.time() + seconds
    with transaction.atomic():
        window = _locked(key)
        window.blocked_until = max(window.blocked_until, until)
        window.refused += 1
        window.save(update_fields=["blocked_until", "refused"])
    logger.warning("bucket %s blocked for %.1f s", key, seconds)


def waiting_seconds(prefix: str) -> float:
    """How long the bucket of this account that waits longest still waits (for the pages)."""
    latest = (
        RateWindow.objects.filter(key__startswith=prefix)
        .order_by("-blocked_until")
        .values_list("blocked_until", flat=True)
    )
    return max(0.0, (latest.first() or 0.0) - time.time())


@transaction.atomic
def _take(key: str, rate: buckets.Rate) -> float:
    window = _locked(key)
    slots = {int(second): count for second, count in window.slots.items()}
    grant = buckets.take(slots, rate, 1, time.time(), window.blocked_until)
    if grant.count:
        window.slots = {str(second): count for second, count in grant.slots.items()}
        window.granted += grant.count
        window.permitted = rate.steady
        window.save(update_fields=["slots", "granted", "permitted"])
        return 0.0
    return grant.wait


def _locked(key: str) -> RateWindow:
    window = RateWindow.objects.select_for_update().filter(key=key).first()
    if window is None:
        RateWindow.objects.bulk_create([RateWindow(key=key)], ignore_conflicts=True)
        window = RateWindow.objects.select_for_update().get(key=key)
    return window
