"""Installed apps: codes on their way, grants that stand, access tokens that live."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from integrations.klaviyo.sandbox.store.database import Database, Row

CODE_SECONDS = 300  # "authorization codes expire after 5 minutes" (developer docs, OAuth)


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code was given for."""

    a: int
    client: str
    redirect_uri: str
    challenge: str
    scopes: str
    role: str


def add_code(db: Database, code: Code, now: float) -> str:
    text = secrets.token_urlsafe(24)
    db.change(
        "INSERT INTO oauth_codes (code, a, client, redirect_uri, challenge, scopes, role, expires)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            text,
            code.a,
            code.client,
            code.redirect_uri,
            code.challenge,
            code.scopes,
            code.role,
            now + CODE_SECONDS,
        ),
    )
    return text


def take_code(db: Database, text: str, now: float) -> Code | None:
    """The code, once and while it lives; it is used up whatever comes of it."""
    with db.transaction():
        row = db.row("SELECT * FROM oauth_codes WHERE code = ?", (text,))
        db.change("DELETE FROM oauth_codes WHERE code = ? OR expires <= ?", (text, now))
    if row is None or row["expires"] <= now:
        return None
    return Code(**{name: row[name] for name in Code.__slots__})


def add_grant(db: Database, code: Code, now: float) -> Row:
    number = db.insert(
        "INSERT INTO oauth_grants (a, client, refresh, scopes, role, created, used) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (code.a, code.client, secrets.token_urlsafe(32), code.scopes, code.role, now, now),
    )
    return _grant(db, number)


def by_refresh(db: Database, client: str, refresh: str) -> Row | None:
    return db.row("SELECT * FROM oauth_grants WHERE refresh = ? AND client = ?", (refresh, client))


def rotate(db: Database, number: int) -> Row:
    """Give the grant another refresh token; the one of before is nobody's."""
    db.change("UPDATE oauth_grants SET refresh = ? WHERE n = ?", (secrets.token_urlsafe(32), number))
    return _grant(db, number)


def add_token(db: Database, number: int, seconds: float, now: float) -> str:
    text = secrets.token_urlsafe(32)
    with db.transaction():
        db.change("UPDATE oauth_grants SET used = ? WHERE n = ?", (now, number))
        db.change("DELETE FROM oauth_tokens WHERE expires <= ?", (now,))
        db.change(
            "INSERT INTO oauth_tokens (token, grant_n, expires) VALUES (?, ?, ?)",
            (text, number, now + seconds),
        )
    return text


def by_token(db: Database, text: str, now: float) -> Row | None:
    """The grant behind an access token that lives."""
    return db.row(
        "SELECT g.* FROM oauth_tokens t JOIN oauth_grants g ON g.n = t.grant_n WHERE t.token = ? AND t.expires > ?",
        (text, now),
    )


def installed(db: Database, a: int) -> list[Row]:
    return db.rows("SELECT * FROM oauth_grants WHERE a = ? ORDER BY n", (a,))


def end_tokens(db: Database, a: int) -> int:
    """Access tokens die, grants stand."""
    return db.change(
        "DELETE FROM oauth_tokens WHERE grant_n IN (SELECT n FROM oauth_grants WHERE a = ?)", (a,)
    )


def set_scopes(db: Database, a: int, scopes: str) -> int:
    return db.change("UPDATE oauth_grants SET scopes = ? WHERE a = ?", (scopes, a))


def uninstall(db: Database, a: int, client: str | None = None) -> int:
    """Take an app, or every app, out of an account with all its grants and tokens; the number of grants."""
    with db.transaction():
        rows = [row for row in installed(db, a) if client in (None, row["client"])]
        for row in rows:
            db.change("DELETE FROM oauth_tokens WHERE grant_n = ?", (row["n"],))
            db.change("DELETE FROM oauth_grants WHERE n = ?", (row["n"],))
        db.change("DELETE FROM oauth_codes WHERE a = ? AND (? IS NULL OR client = ?)", (a, client, client))
    return len(rows)


def _grant(db: Database, number: int) -> Row:
    row = db.row("SELECT * FROM oauth_grants WHERE n = ?", (number,))
    if row is None:
        raise LookupError(f"grant {number}")
    return row
