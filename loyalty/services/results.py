"""What services answer for each item of a list."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ItemResult:
    """What became of one member of a list; `index` is its place in that list."""

    index: int
    external_id: str
    status: Literal["created", "updated", "unchanged", "refused"]
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    member_id: int | None = None


@dataclass(frozen=True)
class EntryResult:
    """What became of one points entry. `repeated`: its key was posted before, with the balance of then."""

    index: int
    external_id: str
    idempotency_key: str
    status: Literal["created", "repeated", "refused"]
    entry_id: int | None
    balance: int | None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefreshCounts:
    """How many members joined and left audiences."""

    joined: int = 0
    left: int = 0
    is_complete: bool = True  # False: the time given was not enough; call again

    def __add__(self, other: "RefreshCounts") -> "RefreshCounts":
        return RefreshCounts(self.joined + other.joined, self.left + other.left)


@dataclass(frozen=True)
class StaticResult:
    """What a change of a static audience did; the last two name external ids."""

    added: int = 0
    removed: int = 0
    already: int = 0
    not_members: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
