"""Background jobs: bulk imports and suppressions, with what became of them."""

from __future__ import annotations

import base64
import json
import secrets
import time
from array import array
from typing import Any

from integrations.klaviyo.sandbox.store.database import Database, Row

IMPORT = "profile-bulk-import-job"


def create(db: Database, a: int, kind: str, *, total: int, lists: list[int], body: bytes) -> Row:
    """Keep a job with all it needs, so that it survives a restart."""
    identifier = (
        base64.urlsafe_b64encode(f"maintenance:{a}:{secrets.token_hex(8)}".encode()).decode().rstrip("=")
    )
    n = db.insert(
        "INSERT INTO jobs (a, id, kind, status, created, total, lists, body) VALUES (?, ?, ?,"
        " 'queued', ?, ?, ?, ?)",
        (a, identifier, kind, time.time(), total, json.dumps(lists), body),
    )
    row = db.row("SELECT * FROM jobs WHERE n = ?", (n,))
    assert row is not None
    return row


def body_of(db: Database, job_n: int) -> Any:
    body = db.value("SELECT body FROM jobs WHERE n = ?", (job_n,))
    return json.loads(body) if body is not None else None


def by_id(db: Database, a: int, kind: str, identifier: str) -> Row | None:
    return db.row("SELECT * FROM jobs WHERE id = ? AND a = ? AND kind = ?", (identifier, a, kind))


def unfinished(db: Database) -> list[Row]:
    sql = "SELECT n, a, kind, created FROM jobs WHERE status IN ('queued', 'processing') ORDER BY n"
    return db.rows(sql)


def start(db: Database, job_n: int) -> None:
    """Begin, or begin again after a restart: what an earlier attempt noted is dropped."""
    with db.transaction():
        db.change("DELETE FROM import_errors WHERE job_n = ?", (job_n,))
        db.change(
            "UPDATE jobs SET status = 'processing', started = coalesce(started, ?), done = 0,"
            " failed = 0 WHERE n = ?",
            (time.time(), job_n),
        )


def progress(db: Database, job_n: int, *, done: int, failed: int) -> None:
    db.change("UPDATE jobs SET done = ?, failed = ? WHERE n = ?", (done, failed, job_n))


def finish(db: Database, job_n: int, profile_numbers: list[int], *, skipped: int = 0) -> None:
    db.change(
        "UPDATE jobs SET status = 'complete', completed = ?, body = NULL, profiles = ?, skipped = ?"
        " WHERE n = ?",
        (time.time(), array("q", profile_numbers).tobytes(), skipped, job_n),
    )


def profile_numbers(row: Row) -> list[int]:
    """Whom the job created or updated, in the order of its rows."""
    numbers: array[int] = array("q")
    if row["profiles"]:
        numbers.frombytes(row["profiles"])
    return numbers.tolist()


def add_errors(db: Database, job_n: int, errors: list[tuple[str, str, str, str, Any]]) -> None:
    """Keep import errors: (code, title, detail, pointer, original payload)."""
    db.change_many(
        "INSERT INTO import_errors (job_n, code, title, detail, pointer, payload) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (job_n, code, title, detail, pointer, json.dumps(payload))
            for code, title, detail, pointer, payload in errors
        ],
    )
