"""Many rows in one statement: as JSON in, as a set inside PostgreSQL.

The ORM's bulk_create is several times slower, and can neither update only what differs nor keep ids.
Names of tables and columns come from our models, never from input; values are always parameters.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

Row = Sequence[object]


def insert(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Row], *, tail: str = ""
) -> list[Any]:
    """Insert rows of the named fields in their order.

    `tail` follows the statement (ON CONFLICT …, RETURNING …); what it returns is returned.
    """
    if not rows:
        return []
    columns = _columns(model, names)
    listed = ", ".join(columns)
    statement = f"INSERT INTO {_table(model)} ({listed}) SELECT {listed} FROM {_source(model, names)} {tail}"
    return execute(statement, [_encode(model, names, rows)])


def update(model: type[models.Model], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Set the named fields of each row; the first name is the key."""
    if not rows:
        return
    key, *changed = _columns(model, names)
    sets = ", ".join(f"{column} = told.{column}" for column in changed)
    source = _source(model, names)
    statement = f"UPDATE {_table(model)} AS kept SET {sets} FROM {source} WHERE kept.{key} = told.{key}"
    execute(statement, [_encode(model, names, rows)])


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """Ids for rows to come, so that rows of one call can refer to each other."""
    if not count:
        return []
    statement = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    return [number for (number,) in execute(statement, [model._meta.db_table, count])]


def execute(statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
    """Run one statement; return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _columns(model: type[models.Model], names: Sequence[str]) -> list[str]:
    return [connection.ops.quote_name(str(_field(model, name).column)) for name in names]


def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    field: models.Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]
    return field


def _source(model: type[models.Model], names: Sequence[str]) -> str:
    """The rows as a set named `told`, each column in the type of its field."""
    types = [_type(str(_field(model, name).db_type(connection))) for name in names]
    listed = zip(_columns(model, names), types, strict=True)
    return f"json_to_recordset(%s::json) AS told({', '.join(f'{column} {kind}' for column, kind in listed)})"


def _type(kind: str) -> str:
    """The type without its length, so that a text too long is an error and is not cut."""
    if kind.endswith("[]"):
        return "text[]"
    return "text" if kind.startswith("varchar") else kind


def _encode(model: type[models.Model], names: Sequence[str], rows: Sequence[Row]) -> str:
    columns = [_field(model, name).column for name in names]
    return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=_told)


def _told(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
