"""What was called: counters for ever, the last requests, and breaches of the API description."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from typing import Any

from integrations.klaviyo.sandbox.store.database import Database

KEEP_REQUESTS = 5_000
KEEP_VIOLATIONS = 500

Counters = dict[str, dict[str, int]]


class Journal:
    """Counts in memory, writes to the store in blocks: a log line must not cost a transaction per call."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._counters: dict[int, Counters] = {}
        self._violations: dict[int, deque[dict[str, Any]]] = {}
        self._pending: list[tuple[int, str]] = []
        self._dirty: set[int] = set()

    def request(self, a: int, endpoint: str, line: dict[str, Any]) -> None:
        """Log one call and count it under its endpoint."""
        with self._lock:
            counters = self._counters_of(a).setdefault(endpoint, {})
            counters["calls"] = counters.get("calls", 0) + 1
            status = f"status_{line['status']}"
            counters[status] = counters.get(status, 0) + 1
            self._pending.append((a, json.dumps(line)))
            self._dirty.add(a)
            is_full = len(self._pending) >= 500
        if is_full:
            self.flush()

    def count(self, a: int, endpoint: str, name: str, number: int) -> None:
        """Add to a counter such as profiles_written."""
        if not number:
            return
        with self._lock:
            counters = self._counters_of(a).setdefault(endpoint, {})
            counters[name] = counters.get(name, 0) + number
            self._dirty.add(a)

    def violation(self, a: int, endpoint: str, pointer: str, detail: str) -> None:
        """A body that the API description does not allow, whether or not Klaviyo would refuse it."""
        with self._lock:
            kept = self._violations.setdefault(a, deque(maxlen=KEEP_VIOLATIONS))
            kept.append({"endpoint": endpoint, "pointer": pointer, "detail": detail})

    def violations(self, a: int) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._violations.get(a, ()))

    def counters(self, a: int) -> Counters:
        with self._lock:
            return {endpoint: dict(values) for endpoint, values in self._counters_of(a).items()}

    def requests(self, a: int, limit: int = KEEP_REQUESTS) -> list[dict[str, Any]]:
        """The last calls, newest first."""
        self.flush()
        rows = self._db.rows("SELECT line FROM requests WHERE a = ? ORDER BY n DESC LIMIT ?", (a, limit))
        return [json.loads(row["line"]) for row in rows]

    def forget(self, a: int) -> None:
        with self._lock:
            self._counters.pop(a, None)
            self._violations.pop(a, None)
            self._dirty.discard(a)
            self._pending = [entry for entry in self._pending if entry[0] != a]

    def flush(self) -> None:
        """Write what is new and cut the log to its length."""
        with self._lock:
            pending, self._pending = self._pending, []
            dirty = {a: json.dumps(self._counters_of(a)) for a in self._dirty}
            self._dirty.clear()
        if not pending and not dirty:
            return
        with self._db.transaction():
            self._db.change_many("INSERT INTO requests (a, line) VALUES (?, ?)", pending)
            for a, counters in dirty.items():
                self._db.change("UPDATE accounts SET counters = ? WHERE a = ?", (counters, a))
                self._db.change(
                    "DELETE FROM requests WHERE a = ? AND n <= (SELECT n FROM requests WHERE a = ?"
                    " ORDER BY n DESC LIMIT 1 OFFSET ?)",
                    (a, a, KEEP_REQUESTS),
                )

    def _counters_of(self, a: int) -> Counters:
        """Call with the lock held; reads what an earlier process left."""
        if a not in self._counters:
            stored = self._db.value("SELECT counters FROM accounts WHERE a = ?", (a,))
            self._counters[a] = json.loads(stored) if stored else {}
        return self._counters[a]


def key_hash(secret: str) -> str:
    """Enough to tell keys apart in a log that must not hold them."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]
