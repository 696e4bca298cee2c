"""PURE: what a column of a file means: the field it fills, and how its cells are read."""

from collections.abc import Callable
from dataclasses import dataclass

# A cell that empties the field; an empty cell leaves the field as it is.
CLEAR = r"\N"


class ColumnProblem(ValueError):
    """The header cannot be taken; the message says what to change."""


@dataclass(frozen=True)
class Column:
    """`field` is one of member_input's, or points_balance; `key` names one attribute or consent channel.

    `read` turns a cell into what the API would be sent; None: the text as it stands. It raises
    ValueError with words for the report.
    """

    index: int
    field: str
    key: str = ""
    read: Callable[[str], object] | None = None

    @property
    def name(self) -> str:
        return f"{self.field}.{self.key}" if self.key else self.field

    def value(self, cell: str) -> object:
        if cell == CLEAR:
            return None
        return self.read(cell) if self.read else cell


def points(cell: str) -> int:
    """A balance: a whole number from 0, also as spreadsheets write it (120.0)."""
    whole, _, rest = cell.strip().partition(".")
    if not (whole.isascii() and whole.isdigit()) or rest.strip("0"):
        raise ValueError("must be a whole number from 0, without separators.")
    return int(whole[:30])


def words(cell: str) -> list[str]:
    """Tags, parted by commas or semicolons."""
    return [word.strip() for word in cell.replace(";", ",").split(",") if word.strip()]
