"""Events and metrics. The same profile, metric and unique id is one event, however often it is sent."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, NamedTuple

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.store import flows
from integrations.klaviyo.sandbox.store.database import Database, Row


class NewEvent(NamedTuple):
    """One event, checked and ready to be kept."""

    metric: str
    at: int
    unique_id: str
    properties: dict[str, Any]
    backfill: bool


def metric_number(db: Database, a: int, name: str) -> int:
    """The metric of that name; it comes into being with its first event."""
    number: int | None = db.value("SELECT n FROM metrics WHERE a = ? AND name = ?", (a, name))
    if number is not None:
        return number
    now = int(time.time())
    return db.insert(
        "INSERT INTO metrics (a, name, created, updated) VALUES (?, ?, ?, ?)", (a, name, now, now)
    )


def metric_by_id(db: Database, a: int, identifier: str) -> Row | None:
    number = ids.number_of(identifier, "metric")
    return db.row("SELECT * FROM metrics WHERE n = ? AND a = ?", (number, a)) if number is not None else None


def by_id(db: Database, a: int, identifier: str) -> Row | None:
    number = ids.number_of(identifier, "event", 11)
    return db.row("SELECT * FROM events WHERE n = ? AND a = ?", (number, a)) if number is not None else None


def record(db: Database, a: int, profile_n: int, event: NewEvent) -> bool:
    """Keep an event and start its flows; False when it was there already."""
    metric_n = metric_number(db, a, event.metric)
    dump = json.dumps(event.properties, separators=(",", ":"), ensure_ascii=False)
    kept = db.change(
        "INSERT OR IGNORE INTO events (a, profile_n, metric_n, unique_id, at, uuid, props,"
        " backfill, received)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            a,
            profile_n,
            metric_n,
            event.unique_id,
            event.at,
            str(uuid.uuid4()),
            dump,
            event.backfill,
            time.time(),
        ),
    )
    if not kept:
        return False
    if not event.backfill:
        firing = flows.live(flows.on_metric(db, a, event.metric))
        flows.fire(db, a, firing, [(profile_n, f"{event.metric} {event.unique_id}")])
    return True
