"""One line of a file: checked, and written as a line of COPY.

Two ways. The whole reading goes through member_input, which says everything that is wrong. The short
way knows, cell by cell, values that member_input would take as they are, and leaves a row to the
whole reading as soon as one cell is not plainly so. A test holds the two together.
"""

from collections.abc import Sequence
from typing import NamedTuple

from loyalty.importing import stage_columns
from loyalty.importing.columns import Column
from loyalty.importing.plain_cells import Reader, attributes_reader, reader_of
from loyalty.importing.reports import Report
from loyalty.importing.stage_columns import FILLS, NOTHING, NULL
from loyalty.rules import member_input
from loyalty.rules.ledger_entries import MAX_POINTS


class _Step(NamedTuple):
    """A cell, what stands for it where it is empty, and its reader."""

    at: int
    nothing: str
    read: Reader


class RowReader:
    """Reads the rows of one file. `stage` names the columns of its lines, after the line number."""

    def __init__(self, columns: Sequence[Column], *, default_region: str = "") -> None:
        self.columns = sorted(columns, key=_place)
        self.default_region = default_region
        fields = list(dict.fromkeys(_field(column) for column in self.columns))
        self.stage = [pair for field in fields for pair in FILLS[field]]
        self._cells = 1 + max(column.index for column in columns)
        self._steps = [
            _Step(column.index, NOTHING[_field(column)], reader_of(column))
            for column in self.columns
            if column.field != "attributes"
        ]
        attributes = [column for column in self.columns if column.field == "attributes"]
        self._attributes = attributes_reader(attributes) if attributes else None

    def read(self, line: int, cells: list[str], report: Report) -> str | None:
        """The line of COPY, or None: refused (told to the report) or without any content."""
        if len(cells) < self._cells:
            cells = cells + [""] * (self._cells - len(cells))
        told = self._plainly(cells) or self._wholly(line, cells, report)
        return None if told is None else f"{line}\t{told}\n"

    def _plainly(self, cells: list[str]) -> str | None:
        parts = []
        for at, nothing, read in self._steps:
            cell = cells[at]
            part = read(cell) if cell else nothing
            if part is None:
                return None
            parts.append(part)
        if self._attributes is not None:
            part = self._attributes(cells)
            if part is None:
                return None
            parts.append(part)
        return "\t".join(parts) if parts[0] != NULL else None

    def _wholly(self, line: int, cells: list[str], report: Report) -> str | None:
        if not any(cell.strip() for cell in cells):
            return None  # spreadsheets end with rows of nothing but separators
        raw, errors = self._raw(cells)
        opening = raw.pop("points_balance", None)
        if isinstance(opening, int) and opening > MAX_POINTS:
            errors.append(f"points_balance: must not be above {MAX_POINTS}.")
        member, refusals, warnings = member_input.parse(raw, default_region=self.default_region)
        external_id = str(raw.get("external_id", "")).strip()[:255]
        if member is None or errors:
            report.refuse(line, external_id, (*errors, *refusals))
            return None
        for warning in warnings:
            report.warn(line, external_id, warning)
        told = stage_columns.of_member(member)
        if isinstance(opening, int):
            told["opening_balance"] = str(opening)
        return "\t".join(told.get(name, NULL) for name, _ in self.stage)

    def _raw(self, cells: list[str]) -> tuple[dict[str, object], list[str]]:
        """What the API would have been sent for this row."""
        raw: dict[str, object] = {}
        nested: dict[str, dict[str, object]] = {}
        errors = []
        for column in self.columns:
            cell = cells[column.index]
            if not cell.strip():
                continue
            try:
                value = column.value(cell)
            except ValueError as error:
                errors.append(f"{column.name}: {error}")
                continue
            if column.key:
                nested.setdefault(column.field, {})[column.key] = value
            else:
                raw[column.field] = value
        return raw | nested, errors


def _place(column: Column) -> int:
    """The id first, for it must be there; attributes last, for they are read together."""
    return {"external_id": 0, "attributes": 2}.get(column.field, 1)


def _field(column: Column) -> str:
    """The name under which FILLS knows the column: consent by its channel, attributes all as one."""
    return column.name if column.field == "consent" else column.field
