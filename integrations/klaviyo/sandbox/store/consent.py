"""Consent and suppression: the state that a mistake here would cost people their say."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from integrations.klaviyo.sandbox.store.database import Database
from integrations.klaviyo.sandbox.store.profiles import Profile

SUBSCRIBED = "SUBSCRIBED"
UNSUBSCRIBED = "UNSUBSCRIBED"
NEVER = "NEVER_SUBSCRIBED"

# A real subscribe lifts these (OpenAPI description of the subscription job); bounces stay.
LIFTED_BY_SUBSCRIBE = ("UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED")


def suppress(db: Database, a: int, profile_n: int, reason: str, now: int, list_n: int = 0) -> None:
    db.change(
        "INSERT OR IGNORE INTO suppressions (profile_n, a, list_n, reason, at) VALUES (?, ?, ?, ?, ?)",
        (profile_n, a, list_n, reason, now),
    )


def lift(db: Database, profile_n: int, reasons: Iterable[str], list_n: int = 0) -> None:
    db.change(
        "DELETE FROM suppressions WHERE profile_n = ? AND list_n = ? AND reason IN (SELECT value"
        " FROM json_each(?))",
        (profile_n, list_n, json.dumps(list(reasons))),
    )


def suppressions_of(db: Database, numbers: Iterable[int]) -> dict[int, list[tuple[int, str, int]]]:
    """(list number or 0, reason, time) per profile."""
    sql = (
        "SELECT profile_n, list_n, reason, at FROM suppressions"
        " WHERE profile_n IN (SELECT value FROM json_each(?)) ORDER BY at"
    )
    found: dict[int, list[tuple[int, str, int]]] = {}
    for row in db.rows(sql, (json.dumps(list(numbers)),)):
        found.setdefault(row["profile_n"], []).append((row["list_n"], row["reason"], row["at"]))
    return found


def subscribe(
    profile: Profile, channel: str, *, now: int, at: int, source: str | None, is_double: bool
) -> None:
    """Note the consent of one channel such as `email.marketing`."""
    profile.consent[channel] = {
        "consent": SUBSCRIBED,
        "consent_timestamp": at,
        "last_updated": now,
        "method": "API",
        "method_detail": "",
        "custom_method_detail": source,
        "double_optin": is_double,
    }
    _pending(profile).pop(channel, None)


def unsubscribe(profile: Profile, channel: str, *, now: int) -> None:
    before = profile.consent.get(channel, {})
    profile.consent[channel] = {
        **before,
        "consent": UNSUBSCRIBED,
        "last_updated": now,
        "consent_timestamp": now,
    }
    _pending(profile).pop(channel, None)


def wait_for_confirmation(profile: Profile, channel: str, list_n: int, source: str | None) -> None:
    """Double opt-in: accepted, yet not subscribed until the person confirms."""
    profile.consent.setdefault("pending", {})[channel] = {"list": list_n, "source": source}


def pending(profile: Profile) -> dict[str, Any]:
    return dict(_pending(profile))


def _pending(profile: Profile) -> dict[str, Any]:
    found: dict[str, Any] = profile.consent.get("pending", {})
    return found
