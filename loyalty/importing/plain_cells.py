"""The short way of reading a cell: what it fills if that is plain, else None.

A reader gives the stage columns that its field fills as one text, parted by tabs as COPY wants them.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from loyalty.importing import stage_columns
from loyalty.importing.columns import CLEAR, Column
from loyalty.importing.stage_columns import FALSE, FILLS, NOTHING, NULL
from loyalty.rules import contacts, e164, inputs, member_input
from loyalty.rules.ledger_entries import MAX_POINTS

Reader = Callable[[str], str | None]
RowReader = Callable[[list[str]], str | None]

_REMEMBERED = 50_000
# Texts that differ from row to row: looked at here. Everything else repeats: read once, remembered.
_OWN_TEXTS = {
    "external_id": 255,
    **{
        name: member_input.TEXT_LIMITS[name]
        for name in ("first_name", "last_name", "address1", "referral_code")
    },
}


def reader_of(column: Column) -> Reader:
    """How the cells of this column are read."""
    if column.field in _OWN_TEXTS:
        return _plain_text(_OWN_TEXTS[column.field])
    if column.field in _OWN_READERS:
        return _OWN_READERS[column.field]
    return _remembered(column)


def attributes_reader(columns: Sequence[Column]) -> RowReader:
    """All attributes of a row as one document."""
    # The names are the same in every row: written once. json.dumps for each row takes twice the time.
    named = [(column.index, f"{encode_basestring(column.key)}:", column.read) for column in columns]
    nothing = NOTHING["attributes"]

    def read(cells: list[str]) -> str | None:
        parts = []
        for index, name, reading in named:
            cell = cells[index]
            if not cell or cell.isspace():
                continue
            if cell == CLEAR or not cell.isprintable():
                return None
            value = _json_of(cell, reading)
            if value is None:
                return None
            parts.append(name + value)
        return f"{stage_columns.text('{' + ','.join(parts) + '}')}\t{NULL}" if parts else nothing

    return read


def _json_of(cell: str, read: Callable[[str], object] | None) -> str | None:
    if read is None:
        return str(encode_basestring(cell))
    try:
        value = read(cell)
    except ValueError:
        return None
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _plain_text(limit: int) -> Reader:
    def read(cell: str) -> str | None:
        # A printable text holds no white space but the blank, so looking at its ends is to strip it.
        if (
            cell.isprintable()
            and len(cell) <= limit
            and cell[0] != " "
            and cell[-1] != " "
            and "\\" not in cell
        ):
            return cell
        return None

    return read


def _email(cell: str) -> str | None:
    address, is_usable = contacts.email(cell)
    return f"{address}\t{FALSE}" if is_usable else None


def _phone(cell: str) -> str | None:
    return f"{cell}\t{FALSE}" if e164.is_plain(cell) else None


def _enrolled_at(cell: str) -> str | None:
    try:
        return inputs.moment(cell).isoformat()
    except inputs.InputError:
        return None


def _opening(cell: str) -> str | None:
    return cell if cell.isascii() and cell.isdigit() and int(cell[:30]) <= MAX_POINTS else None


_OWN_READERS: dict[str, Reader] = {
    "email": _email,
    "phone": _phone,
    "enrolled_at": _enrolled_at,
    "points_balance": _opening,
}


def _remembered(column: Column) -> Reader:
    """By the whole reading of this one field. Only cells that raise no warning are plain."""
    field = column.name if column.field == "consent" else column.field
    names = [name for name, _ in FILLS[field]]

    @lru_cache(maxsize=_REMEMBERED)
    def read(cell: str) -> str | None:
        if cell.isspace():
            return NOTHING[field]
        try:
            value: Any = column.value(cell)
        except ValueError:
            return None
        told = {column.key: value} if column.key else value
        member, _, warnings = member_input.parse({"external_id": "x", column.field: told})
        if member is None or warnings:
            return None
        filled = stage_columns.of_member(member)
        return "\t".join(filled.get(name, NULL) for name in names)

    return read
