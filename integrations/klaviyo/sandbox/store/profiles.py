"""Profiles as rows: read one, read many, delete, merge."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.store.database import Database, Row

COLUMNS = (
    "p.n, p.a, p.id, p.email, p.phone, p.external_id, p.attrs, p.props, p.consent, p.created, p.updated,"
    " p.last_event"
)
_ALL = COLUMNS.replace("p.", "")


@dataclass(slots=True)
class Profile:
    """One person in one account; `attrs` holds the standard attributes that are no identifiers."""

    n: int
    a: int
    id: str
    email: str | None
    phone: str | None
    external_id: str | None
    attrs: dict[str, Any]
    props: dict[str, Any]
    consent: dict[str, Any]
    created: int
    updated: int
    last_event: int | None
    is_new: bool = False
    has_moved: bool = False  # an identifier changed
    is_touched: bool = False


def from_row(row: Iterable[Any]) -> Profile:
    n, a, pid, email, phone, external_id, attrs, props, consent, created, updated, last_event = row
    return Profile(
        n,
        a,
        pid,
        email,
        phone,
        external_id,
        json.loads(attrs),
        json.loads(props),
        json.loads(consent) if consent else {},
        created,
        updated,
        last_event,
    )


def by_id(db: Database, a: int, identifier: str) -> Profile | None:
    number = ids.profile_number(identifier)
    if number is None:
        return None
    row = db.row(f"SELECT {_ALL} FROM profiles WHERE n = ? AND a = ? AND id = ?", (number, a, identifier))
    return from_row(row) if row is not None else None


def rows_by_numbers(db: Database, numbers: Iterable[int]) -> list[Row]:
    wanted = json.dumps(list(numbers))
    return db.rows(f"SELECT {_ALL} FROM profiles WHERE n IN (SELECT value FROM json_each(?))", (wanted,))


def by_numbers(db: Database, numbers: Iterable[int]) -> dict[int, Profile]:
    return {row["n"]: from_row(row) for row in rows_by_numbers(db, numbers)}


def rows_by_column(db: Database, a: int, column: str, values: list[str]) -> list[Row]:
    """Profiles whose email, phone or external_id is one of `values`."""
    sql = f"SELECT {_ALL} FROM profiles WHERE a = ? AND {column} IN (SELECT value FROM json_each(?))"
    return db.rows(sql, (a, json.dumps(values)))


def by_column(db: Database, a: int, column: str, values: list[str]) -> list[Profile]:
    return [from_row(row) for row in rows_by_column(db, a, column, values)]


def numbers_of_ids(db: Database, a: int, identifiers: list[str]) -> tuple[list[int], list[str]]:
    """Row numbers of profile ids, and the ids that no profile has."""
    guesses = {identifier: ids.profile_number(identifier) for identifier in identifiers}
    wanted = json.dumps([number for number in guesses.values() if number is not None])
    sql = "SELECT n, id FROM profiles WHERE a = ? AND n IN (SELECT value FROM json_each(?))"
    found = {row["id"]: row["n"] for row in db.rows(sql, (a, wanted))}
    numbers = [found[identifier] for identifier in guesses if identifier in found]
    return numbers, [identifier for identifier in guesses if identifier not in found]


def delete(db: Database, numbers: list[int]) -> None:
    """Remove people with everything that hangs on them."""
    wanted = json.dumps(numbers)
    with db.transaction():
        for table in ("list_members", "events", "suppressions"):
            db.change(f"DELETE FROM {table} WHERE profile_n IN (SELECT value FROM json_each(?))", (wanted,))
        db.change("DELETE FROM profiles WHERE n IN (SELECT value FROM json_each(?))", (wanted,))


def merge(db: Database, target: Profile, source: Profile, now: int) -> None:
    """Fold `source` into `target`: the target's values win, memberships and events move, suppressed stays
    suppressed.
    """
    with db.transaction():
        for table in ("list_members", "events", "suppressions"):
            db.change(f"UPDATE OR IGNORE {table} SET profile_n = ? WHERE profile_n = ?", (target.n, source.n))
        delete(db, [source.n])
        attrs = {**source.attrs, **{key: value for key, value in target.attrs.items() if value is not None}}
        db.change(
            "UPDATE profiles SET attrs = ?, props = ?, consent = ?, updated = ?, email = ?, phone ="
            " ?, external_id = ?"
            " WHERE n = ?",
            (
                json.dumps(attrs),
                json.dumps({**source.props, **target.props}),
                json.dumps({**source.consent, **target.consent}) or None,
                now,
                target.email or source.email,
                target.phone or source.phone,
                target.external_id or source.external_id,
                target.n,
            ),
        )
