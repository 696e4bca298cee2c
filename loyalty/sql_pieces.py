"""A piece of SQL with places for other expressions, which Django's Func can only put in one row."""

from string import Formatter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Func
from django.db.models.sql.compiler import SQLCompiler


class Piece(Func):
    """`pattern` is a format string of our own making, `{0}` its first part; true or false by default."""

    output_field = BooleanField()

    def __init__(self, pattern: str, *parts: Any, output_field: Any = None) -> None:
        super().__init__(*parts, output_field=output_field or BooleanField())
        self.pattern = pattern

    def as_sql(  # type: ignore[override]  # the other arguments are for Func's own template
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        parts = [compiler.compile(part) for part in self.source_expressions]
        written: list[str] = []
        params: list[Any] = []
        for text, place, _, _ in Formatter().parse(self.pattern):
            written.append(text.replace("%", "%%"))
            if place is not None:
                part, part_params = parts[int(place)]
                written.append(part)
                params.extend(part_params)
        return f"({''.join(written)})", tuple(params)
