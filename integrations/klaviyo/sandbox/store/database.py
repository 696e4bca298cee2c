"""One SQLite connection shared by all threads under one lock."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integrations.klaviyo.sandbox.store.schema import SCHEMA

Row = sqlite3.Row


class Database:
    """SQLite with the lock that makes a read-then-write atomic.

    One connection, not one per thread: the work is short, the interpreter runs one thread at a time anyway,
    and it is the only way `:memory:` can be shared.
    """

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, cached_statements=512
        )
        self._connection.row_factory = sqlite3.Row
        self.lock = threading.RLock()
        self._depth = 0
        # A practice account is no bank: a power cut may cost the last writes, a killed process may not.
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-65536", "temp_store=MEMORY"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested use joins the outer transaction."""
        with self.lock:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._depth = 0

    def rows(self, sql: str, arguments: Sequence[Any] = ()) -> list[Row]:
        with self.lock:
            return self._connection.execute(sql, arguments).fetchall()

    def row(self, sql: str, arguments: Sequence[Any] = ()) -> Row | None:
        with self.lock:
            found: Row | None = self._connection.execute(sql, arguments).fetchone()
            return found

    def value(self, sql: str, arguments: Sequence[Any] = ()) -> Any:
        found = self.row(sql, arguments)
        return found[0] if found is not None else None

    def change(self, sql: str, arguments: Sequence[Any] = ()) -> int:
        """Run one change; the number of rows it touched."""
        with self.lock:
            return self._connection.execute(sql, arguments).rowcount

    def insert(self, sql: str, arguments: Sequence[Any] = ()) -> int:
        """Run one INSERT; the new row's number."""
        with self.lock:
            number = self._connection.execute(sql, arguments).lastrowid
            return number or 0

    def change_many(self, sql: str, arguments: Iterable[Sequence[Any]]) -> None:
        with self.lock:
            self._connection.executemany(sql, arguments)

    def close(self) -> None:
        with self.lock:
            self._connection.close()
