"""Points that came in together: which of them are used first, and what is left.

What expires soonest goes first, then what is older; points without an expiry go last.
"""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Lot:
    """`id` grows with age: of two lots the smaller id is the older."""

    id: int
    remaining: int
    expires_at: datetime | None = None

    @property
    def order(self) -> tuple[datetime, int]:
        return self.expires_at or _NEVER, self.id


@dataclass(frozen=True)
class Use:
    """Points taken from one lot."""

    lot_id: int
    points: int


class NotEnough(ValueError):
    """More was asked for than the lots hold."""


class Purse:
    """One member's open lots, in the order in which they are used."""

    def __init__(self, lots: Iterable[Lot] = ()) -> None:
        self._lots = sorted((lot for lot in lots if lot.remaining > 0), key=_order)

    @property
    def lots(self) -> tuple[Lot, ...]:
        return tuple(self._lots)

    @property
    def total(self) -> int:
        return sum(lot.remaining for lot in self._lots)

    def add(self, lot: Lot) -> None:
        insort(self._lots, lot, key=_order)

    def take(self, points: int) -> tuple[Use, ...]:
        """Use this many points; nothing is taken where there are not enough."""
        if points > self.total:
            raise NotEnough(f"{points} points asked for, {self.total} there")
        uses: list[Use] = []
        while points:
            first = self._lots[0]
            used = min(points, first.remaining)
            uses.append(Use(first.id, used))
            points -= used
            if used == first.remaining:
                del self._lots[0]
            else:
                self._lots[0] = replace(first, remaining=first.remaining - used)
        return tuple(uses)

    def take_expired(self, now: datetime) -> tuple[Lot, ...]:
        """Remove the lots whose time has come; return them."""
        expired = tuple(lot for lot in self._lots if lot.expires_at is not None and lot.expires_at <= now)
        del self._lots[: len(expired)]
        return expired


def _order(lot: Lot) -> tuple[datetime, int]:
    return lot.order
