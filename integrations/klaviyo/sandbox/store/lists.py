"""Lists and who is on them."""

from __future__ import annotations

import json
import time

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.store import flows
from integrations.klaviyo.sandbox.store.database import Database, Row


def create(db: Database, a: int, name: str, opt_in: str) -> int:
    """A new list; names are no keys, so a repeated call makes a second one, as Klaviyo does."""
    now = int(time.time())
    return db.insert(
        "INSERT INTO lists (a, name, opt_in, created, updated) VALUES (?, ?, ?, ?, ?)",
        (a, name, opt_in, now, now),
    )


def by_id(db: Database, a: int, identifier: str) -> Row | None:
    number = ids.number_of(identifier, "list")
    return db.row("SELECT * FROM lists WHERE n = ? AND a = ?", (number, a)) if number is not None else None


def by_numbers(db: Database, numbers: list[int]) -> list[Row]:
    sql = "SELECT * FROM lists WHERE n IN (SELECT value FROM json_each(?)) ORDER BY n"
    return db.rows(sql, (json.dumps(numbers),))


def of_profile(db: Database, profile_n: int) -> list[Row]:
    return db.rows(
        "SELECT l.* FROM list_members m JOIN lists l ON l.n = m.list_n WHERE m.profile_n = ? AND"
        " m.joined IS NOT NULL"
        " ORDER BY l.n",
        (profile_n,),
    )


def update(db: Database, list_n: int, *, name: str | None, opt_in: str | None) -> None:
    db.change(
        "UPDATE lists SET name = coalesce(?, name), opt_in = coalesce(?, opt_in), updated = ? WHERE n = ?",
        (name, opt_in, int(time.time()), list_n),
    )


def delete(db: Database, list_n: int) -> None:
    with db.transaction():
        db.change("DELETE FROM list_members WHERE list_n = ?", (list_n,))
        db.change("DELETE FROM suppressions WHERE list_n = ?", (list_n,))
        db.change("DELETE FROM lists WHERE n = ?", (list_n,))


def count(db: Database, list_n: int) -> int:
    total: int = db.value(
        "SELECT count(*) FROM list_members WHERE list_n = ? AND joined IS NOT NULL", (list_n,)
    )
    return total


def has(db: Database, list_n: int, profile_n: int) -> bool:
    sql = "SELECT 1 FROM list_members WHERE list_n = ? AND profile_n = ? AND joined IS NOT NULL"
    return db.row(sql, (list_n, profile_n)) is not None


def add(db: Database, a: int, list_n: int, profile_numbers: list[int], *, starts_flows: bool = True) -> None:
    """Put people on a list: idempotent, starts the list's flows once per person, never touches consent."""
    now = int(time.time())
    with db.transaction():
        firing = flows.live(flows.on_list(db, a, list_n)) if starts_flows else []
        fresh = flows.never_added(db, list_n, profile_numbers) if firing else []
        db.change_many(
            "INSERT INTO list_members (list_n, profile_n, joined) VALUES (?, ?, ?)"
            " ON CONFLICT (list_n, profile_n) DO UPDATE SET joined = excluded.joined WHERE joined IS NULL",
            [(list_n, number, now) for number in profile_numbers],
        )
        if fresh:
            source = "list " + ids.short_id(list_n, "list")
            flows.fire(db, a, firing, ((number, source) for number in fresh))


def remove(db: Database, list_n: int, profile_numbers: list[int]) -> None:
    sql = "UPDATE list_members SET joined = NULL WHERE list_n = ? AND profile_n = ? AND joined IS NOT NULL"
    db.change_many(sql, [(list_n, number) for number in profile_numbers])
