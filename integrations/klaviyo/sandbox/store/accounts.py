"""Accounts: made on first use by a key that names them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.store.database import Database


@dataclass(slots=True)
class Settings:
    """What the control API can change about an account."""

    lag_seconds: float | None = None
    limits_scale: float | None = None
    scopes: dict[str, list[str]] = field(default_factory=dict)
    # New accounts default to double opt-in (help centre, "single and double opt-in").
    default_opt_in: str = "double_opt_in"
    # Klaviyo takes events for example.com and test.com with 202 and drops them silently (help centre, "test
    # emails"). Off by default here, because the demo and the tests use such addresses on purpose; switch it
    # on to rehearse the trap.
    drop_test_domains: bool = False
    seed: int = 0
    # OAuth: how long access tokens live, and whether each renewal brings another refresh token.
    token_seconds: int = 3600
    rotates_refresh: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Account:
    """One Klaviyo account: everything else in the store hangs on its number `a`."""

    a: int
    name: str
    settings: Settings
    refused_later: dict[str, str] = field(default_factory=dict)
    refused_now: dict[str, str] = field(default_factory=dict)
    refused_alone: dict[str, str] = field(default_factory=dict)  # by calls that write one profile

    def refused(self) -> dict[str, dict[str, str]]:
        """Mode → address → the words with which it is refused."""
        return {"later": self.refused_later, "now": self.refused_now, "alone": self.refused_alone}

    @property
    def public_id(self) -> str:
        return ids.short_id(self.a, "account")


class Accounts:
    """The accounts of the store, kept in memory once seen."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, Account] = {}

    def open(self, name: str) -> Account:
        account = self._known.get(name)
        return account if account is not None else self._load(name, create=True) or self.open(name)

    def find(self, name: str) -> Account | None:
        return self._known.get(name) or self._load(name, create=False)

    def by_number(self, a: int) -> Account | None:
        name = self._db.value("SELECT name FROM accounts WHERE a = ?", (a,))
        return self.find(name) if name is not None else None

    def names(self) -> list[str]:
        return [row["name"] for row in self._db.rows("SELECT name FROM accounts ORDER BY name")]

    def save(self, account: Account) -> None:
        with self._db.transaction():
            settings = json.dumps(account.settings.to_dict())
            self._db.change("UPDATE accounts SET settings = ? WHERE a = ?", (settings, account.a))
            self._db.change("DELETE FROM refused WHERE a = ?", (account.a,))
            rows = [
                (account.a, email, detail, mode)
                for mode, refused in account.refused().items()
                for email, detail in refused.items()
            ]
            self._db.change_many("INSERT INTO refused (a, email, detail, mode) VALUES (?, ?, ?, ?)", rows)

    def drop(self, account: Account) -> None:
        """Forget an account with everything in it; its name may be used again at once."""
        with self._db.transaction():
            self._db.change(
                "DELETE FROM list_members WHERE list_n IN (SELECT n FROM lists WHERE a = ?)", (account.a,)
            )
            self._db.change(
                "DELETE FROM import_errors WHERE job_n IN (SELECT n FROM jobs WHERE a = ?)", (account.a,)
            )
            self._db.change(
                "DELETE FROM oauth_tokens WHERE grant_n IN (SELECT n FROM oauth_grants WHERE a = ?)",
                (account.a,),
            )
            for table in _OWNED:
                self._db.change(f"DELETE FROM {table} WHERE a = ?", (account.a,))
            self._known.pop(account.name, None)

    def _load(self, name: str, *, create: bool) -> Account | None:
        with self._db.transaction():
            if create:
                now = int(time.time())
                self._db.change("INSERT OR IGNORE INTO accounts (name, created) VALUES (?, ?)", (name, now))
            row = self._db.row("SELECT a, name, settings FROM accounts WHERE name = ?", (name,))
            if row is None:
                return None
            account = Account(row["a"], row["name"], Settings(**json.loads(row["settings"])))
            for refused in self._db.rows("SELECT email, detail, mode FROM refused WHERE a = ?", (row["a"],)):
                account.refused()[refused["mode"]][refused["email"]] = refused["detail"]
            return self._known.setdefault(name, account)


_OWNED = (
    "flow_log",
    "flows",
    "events",
    "metrics",
    "suppressions",
    "lists",
    "jobs",
    "refused",
    "requests",
    "oauth_codes",
    "oauth_grants",
    "profiles",
    "accounts",
)
