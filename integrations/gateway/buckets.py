"""The arithmetic of a rate limit (pure): how many calls may go now, and when to ask again.

A bucket counts granted calls in one-second slots. A grant must fit both the burst (one second) and the
steady limit (the last sixty seconds); a bucket that merely refills would grant two minutes' worth within
one minute after a pause.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WINDOW = 60


@dataclass(frozen=True)
class Rate:
    """Calls permitted per second and per minute."""

    burst: int
    steady: int

    def share(self, per_cent: int) -> "Rate":
        """Our part of the limit; never less than one call."""
        return Rate(max(1, self.burst * per_cent // 100), max(1, self.steady * per_cent // 100))


@dataclass(frozen=True)
class Grant:
    """`count` calls may go now; when it is zero, ask again in `wait` seconds."""

    count: int
    wait: float
    slots: dict[int, int]


def take(slots: Mapping[int, int], rate: Rate, wanted: int, now: float, blocked_until: float = 0.0) -> Grant:
    """Grant up to `wanted` calls at `now` (seconds) and return the slots to be stored.

    Old slots are dropped, so that the stored value stays small. A slot counts for the whole of its
    second, hence both windows are looked at one second too long: whenever the destination's own second or
    minute begins, its limit is not passed. The minute is what limits a steady flow, so this costs nothing.
    """
    second = int(now)
    kept = {slot: count for slot, count in slots.items() if slot > second - WINDOW - 1 and count > 0}
    if now < blocked_until:
        return Grant(0, blocked_until - now, kept)
    room_burst = rate.burst - kept.get(second, 0) - kept.get(second - 1, 0)
    room_steady = rate.steady - sum(kept.values())
    count = max(0, min(wanted, room_burst, room_steady))
    if count:
        return Grant(count, 0.0, kept | {second: kept.get(second, 0) + count})
    if room_steady <= 0:
        return Grant(0, _until_room(kept, rate.steady, now), kept)
    is_full = kept.get(second, 0) >= rate.burst  # then the next second has no room either
    return Grant(0, second + (2 if is_full else 1) - now, kept)


def _until_room(slots: Mapping[int, int], steady: int, now: float) -> float:
    """Seconds until the oldest slots have left the window and one call fits."""
    total = sum(slots.values())
    for slot in sorted(slots):
        total -= slots[slot]
        if total < steady:
            return max(0.05, slot + WINDOW + 1 - now)
    return 1.0
