"""A unit of work over profiles: load who is meant, change them in memory, write them back at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.store import profiles
from integrations.klaviyo.sandbox.store.database import Database, Row
from integrations.klaviyo.sandbox.store.profiles import Profile


class Identity(NamedTuple):
    """The identifiers of one payload, in the order in which Klaviyo lets them win (developer docs,
    "identity resolution").
    """

    id: str | None
    external_id: str | None
    email: str | None
    phone: str | None


class Conflict(Exception):
    """One identifier belongs to another person than the one that was found first."""

    def __init__(self, other: Profile) -> None:
        super().__init__(other.id)
        self.other = other


class UnknownId(Exception):
    """The payload names a Klaviyo id that no profile has."""


class Workspace:
    """Profiles under change; use it inside one transaction from `load` to `save`."""

    def __init__(self, db: Database, a: int, now: int) -> None:
        self._db = db
        self._a = a
        self._now = now
        self._by_id: dict[str, Profile] = {}
        self._by_external: dict[str, Profile] = {}
        self._by_email: dict[str, Profile] = {}
        self._by_phone: dict[str, Profile] = {}
        self._touched: dict[int, Profile] = {}
        self._next = 0

    def load(self, identities: Iterable[Identity]) -> None:
        """Read everybody whom these identifiers could mean, in at most four queries."""
        wanted = list(identities)
        named = [identity.id for identity in wanted if identity.id]
        if named:
            numbers, _ = profiles.numbers_of_ids(self._db, self._a, named)
            self._remember(profiles.rows_by_numbers(self._db, numbers))
        for column in ("external_id", "email", "phone"):
            values = [value for identity in wanted if (value := getattr(identity, column))]
            if values:
                self._remember(profiles.rows_by_column(self._db, self._a, column, values))

    def find(self, identity: Identity, *, strict: bool = True) -> Profile | None:
        """Whom the identifiers mean, or None. `strict` refuses identifiers that belong to two people."""
        if identity.id is not None and identity.id not in self._by_id:
            raise UnknownId(identity.id)
        matches = [
            self._by_id.get(identity.id or ""),
            self._by_external.get(identity.external_id or ""),
            self._by_email.get(identity.email or ""),
            self._by_phone.get(identity.phone or ""),
        ]
        found = [match for match in matches if match is not None]
        if not found:
            return None
        if strict:
            other = next((match for match in found if match.n != found[0].n), None)
            if other is not None:
                raise Conflict(other)
        return found[0]

    def create(self, identity: Identity) -> Profile:
        if not self._next:
            self._next = (self._db.value("SELECT max(n) FROM profiles") or 0) + 1
        n, self._next = self._next, self._next + 1
        now = self._now
        profile = Profile(
            n, self._a, ids.profile_id(n), None, None, None, {}, {}, {}, now, now, None, is_new=True
        )
        self._by_id[profile.id] = profile
        self.identify(profile, identity)
        return profile

    def identify(self, profile: Profile, identity: Identity) -> None:
        """Give the profile the identifiers of the payload, but none that belongs to somebody else."""
        self._set(profile, "external_id", identity.external_id, self._by_external)
        self._set(profile, "email", identity.email, self._by_email)
        self._set(profile, "phone", identity.phone, self._by_phone)
        self.touch(profile)

    def clear(self, profile: Profile, name: str) -> None:
        """Take one identifier away."""
        index = {"external_id": self._by_external, "email": self._by_email, "phone": self._by_phone}[name]
        old = getattr(profile, name)
        if old is not None:
            index.pop(old, None)
            setattr(profile, name, None)
            profile.has_moved = True

    def touch(self, profile: Profile) -> None:
        profile.updated = self._now
        profile.is_touched = True
        self._touched[profile.n] = profile

    def save(self) -> None:
        touched = list(self._touched.values())
        moved = [profile for profile in touched if profile.has_moved and not profile.is_new]
        # Freed first, so that one address can pass from one person to another within one unit of work.
        self._db.change_many(
            "UPDATE profiles SET email = NULL, phone = NULL, external_id = NULL WHERE n = ?",
            [(profile.n,) for profile in moved],
        )
        self._db.change_many(
            "UPDATE profiles SET email = ?, phone = ?, external_id = ? WHERE n = ?",
            [(profile.email, profile.phone, profile.external_id, profile.n) for profile in moved],
        )
        self._db.change_many(_UPDATE, [_changed(profile) for profile in touched if not profile.is_new])
        self._db.change_many(_INSERT, [_complete(profile) for profile in touched if profile.is_new])
        self._touched.clear()
        for profile in touched:
            profile.is_new = profile.has_moved = False

    def _set(self, profile: Profile, name: str, value: str | None, index: dict[str, Profile]) -> None:
        old = getattr(profile, name)
        if not value or value == old or index.get(value, profile) is not profile:
            return
        if old is not None:
            index.pop(old, None)
        setattr(profile, name, value)
        index[value] = profile
        profile.has_moved = True

    def _remember(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row["id"] in self._by_id:
                continue
            profile = self._by_id[row["id"]] = profiles.from_row(row)
            for index, value in (
                (self._by_external, profile.external_id),
                (self._by_email, profile.email),
                (self._by_phone, profile.phone),
            ):
                if value is not None:
                    index[value] = profile


_INSERT = (
    "INSERT INTO profiles (n, a, id, email, phone, external_id, attrs, props, consent, created,"
    " updated, last_event)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# Identifiers stay out of this statement: SQLite rewrites the index of every column that is set.
_UPDATE = "UPDATE profiles SET attrs = ?, props = ?, consent = ?, updated = ?, last_event = ? WHERE n = ?"

_dump: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _changed(profile: Profile) -> tuple[Any, ...]:
    consent = _dump(profile.consent) if profile.consent else None
    attrs, props = _dump(profile.attrs), _dump(profile.props)
    return attrs, props, consent, profile.updated, profile.last_event, profile.n


def _complete(profile: Profile) -> tuple[Any, ...]:
    return (
        profile.n,
        profile.a,
        profile.id,
        profile.email,
        profile.phone,
        profile.external_id,
        _dump(profile.attrs),
        _dump(profile.props),
        _dump(profile.consent) if profile.consent else None,
        profile.created,
        profile.updated,
        profile.last_event,
    )
