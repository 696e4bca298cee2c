"""Flows and the log of their starts: what a real account would have mailed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from integrations.klaviyo.sandbox.store.database import Database, Row

LIST_TRIGGER = "Added to List"
METRIC_TRIGGER = "Metric"


def create(
    db: Database,
    a: int,
    *,
    name: str,
    status: str = "live",
    list_n: int | None = None,
    metric: str | None = None,
) -> int:
    trigger = LIST_TRIGGER if list_n is not None else METRIC_TRIGGER if metric else "Unconfigured"
    return db.insert(
        "INSERT INTO flows (a, name, status, trigger_type, list_n, metric, created) VALUES (?, ?,"
        " ?, ?, ?, ?, ?)",
        (a, name, status, trigger, list_n, metric, int(time.time())),
    )


def on_list(db: Database, a: int, list_n: int) -> list[Row]:
    return db.rows("SELECT * FROM flows WHERE a = ? AND list_n = ? ORDER BY n", (a, list_n))


def on_metric(db: Database, a: int, metric: str) -> list[Row]:
    return db.rows("SELECT * FROM flows WHERE a = ? AND metric = ? ORDER BY n", (a, metric))


def live(rows: Iterable[Row]) -> list[int]:
    return [row["n"] for row in rows if row["status"] == "live"]


def fire(db: Database, a: int, flow_numbers: list[int], starts: Iterable[tuple[int, str]]) -> None:
    """Record that each flow started for each (profile, source)."""
    now = time.time()
    rows = [(a, flow_n, profile_n, source, now) for profile_n, source in starts for flow_n in flow_numbers]
    db.change_many("INSERT INTO flow_log (a, flow_n, profile_n, source, at) VALUES (?, ?, ?, ?, ?)", rows)


def log(db: Database, a: int, limit: int = 1000) -> list[dict[str, Any]]:
    """The newest starts first."""
    rows = db.rows(
        "SELECT f.name AS flow, l.flow_n, l.source, l.at, p.email, p.external_id, p.id AS"
        " profile_id FROM flow_log l"
        " JOIN flows f ON f.n = l.flow_n LEFT JOIN profiles p ON p.n = l.profile_n"
        " WHERE l.a = ? ORDER BY l.n DESC LIMIT ?",
        (a, limit),
    )
    return [dict(row) for row in rows]


def never_added(db: Database, list_n: int, profile_numbers: list[int]) -> list[int]:
    """Those who were never on the list: removed and added again does not start a flow twice (help centre)."""
    rows = db.rows(
        "SELECT profile_n FROM list_members"
        " WHERE list_n = ? AND profile_n IN (SELECT value FROM json_each(?))",
        (list_n, json.dumps(profile_numbers)),
    )
    before = {row[0] for row in rows}
    return [number for number in profile_numbers if number not in before]
