"""What the control API shows: the judge of tests, because it is Klaviyo's side of the truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store import consent, flows, grants, lists, profiles
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.store.profiles import Profile
from integrations.klaviyo.sandbox.subscriptions_view import subscriptions

_COUNTED = ("profiles", "lists", "metrics", "events", "flow_log", "suppressions")
_LIMIT = 1_000


def summary(state: State, account: Account) -> dict[str, Any]:
    return {"name": account.name, "id": account.public_id, **counts(state, account)}


def counts(state: State, account: Account) -> dict[str, Any]:
    """How much there is of everything."""
    made: dict[str, Any] = {
        name: state.db.value(f"SELECT count(*) FROM {name} WHERE a = ?", (account.a,)) for name in _COUNTED
    }
    made["memberships"] = state.db.value(
        "SELECT count(*) FROM list_members WHERE joined IS NOT NULL AND list_n IN (SELECT n FROM"
        " lists WHERE a = ?)",
        (account.a,),
    )
    jobs = state.db.rows("SELECT status, count(*) FROM jobs WHERE a = ? GROUP BY status", (account.a,))
    made["jobs"] = {row[0]: row[1] for row in jobs}
    return made


def _state(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    stats_ = _stats(state, account, parameters)
    return {
        **summary(state, account),
        "settings": account.settings.to_dict(),
        "violations": stats_["violations"],
        "calls": sum(values["calls"] for values in stats_["endpoints"].values()),
    }


def _profiles(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    """Profiles by email, external_id or phone, or the first of all."""
    for name, column in (("email", "email"), ("external_id", "external_id"), ("phone", "phone")):
        if name in parameters:
            value = parameters[name].lower() if name == "email" else parameters[name]
            found = profiles.by_column(state.db, account.a, column, [value])
            return {"profiles": [whole(state, profile) for profile in found]}
    limit, offset = int(parameters.get("limit", _LIMIT)), int(parameters.get("offset", 0))
    rows = state.db.rows(
        f"SELECT {profiles.COLUMNS} FROM profiles p WHERE a = ? ORDER BY n LIMIT ? OFFSET ?",
        (account.a, limit, offset),
    )
    return {"profiles": [whole(state, profiles.from_row(row)) for row in rows]}


def whole(state: State, profile: Profile) -> dict[str, Any]:
    """One profile with all that is known of it."""
    suppressed = consent.suppressions_of(state.db, [profile.n]).get(profile.n, [])
    return {
        "id": profile.id,
        "email": profile.email,
        "phone_number": profile.phone,
        "external_id": profile.external_id,
        **profile.attrs,
        "properties": profile.props,
        "created": profile.created,
        "updated": profile.updated,
        "lists": [row["name"] for row in lists.of_profile(state.db, profile.n)],
        "subscriptions": subscriptions(profile, suppressed),
        "pending": consent.pending(profile),
    }


def _lists(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    rows = state.db.rows("SELECT * FROM lists WHERE a = ? ORDER BY n", (account.a,))
    return {
        "lists": [
            {
                "id": ids.short_id(row["n"], "list"),
                "name": row["name"],
                "opt_in_process": row["opt_in"],
                "members": lists.count(state.db, row["n"]),
            }
            for row in rows
        ]
    }


def members(state: State, account: Account, name: str) -> dict[str, Any]:
    """Members of a list, by its id or its name."""
    row = lists.by_id(state.db, account.a, name) or state.db.row(
        "SELECT * FROM lists WHERE a = ? AND name = ? ORDER BY n", (account.a, name)
    )
    if row is None:
        raise LookupError(f"list {name}")
    rows = state.db.rows(
        "SELECT p.id, p.email, p.external_id, m.joined FROM list_members m JOIN profiles p ON p.n ="
        " m.profile_n"
        " WHERE m.list_n = ? AND m.joined IS NOT NULL ORDER BY p.n",
        (row["n"],),
    )
    return {
        "members": [dict(row) for row in rows],
        "emails": sorted(row["email"] for row in rows if row["email"]),
        "external_ids": sorted(row["external_id"] for row in rows if row["external_id"]),
    }


def _events(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    """Events in the order of their arrival; by metric, email or external_id."""
    where, arguments = "e.a = ?", [account.a]
    for name, column in (("metric", "m.name"), ("email", "p.email"), ("external_id", "p.external_id")):
        if name in parameters:
            where += f" AND {column} = ?"
            arguments.append(parameters[name])  # type: ignore[arg-type]
    rows = state.db.rows(
        "SELECT e.n, m.name AS metric, e.unique_id, e.at, e.backfill, e.received, e.props, p.email,"
        " p.external_id,"
        " p.id AS profile_id FROM events e JOIN metrics m ON m.n = e.metric_n"
        f" LEFT JOIN profiles p ON p.n = e.profile_n WHERE {where} ORDER BY e.n LIMIT ? OFFSET ?",
        (*arguments, int(parameters.get("limit", 100_000)), int(parameters.get("offset", 0))),
    )
    made = []
    for row in rows:
        event = dict(row)
        event["id"] = ids.short_id(event.pop("n"), "event", 11)
        event["backfill"] = bool(event["backfill"])
        event["properties"] = json.loads(event.pop("props"))
        made.append(event)
    return {"events": made}


def _jobs(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    rows = state.db.rows(
        "SELECT id, kind, status, created, started, completed, total, done, failed, skipped FROM jobs"
        " WHERE a = ? ORDER BY n",
        (account.a,),
    )
    return {"jobs": [dict(row) for row in rows]}


def _flow_log(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    limit = int(parameters.get("limit", 100_000))
    total = state.db.value("SELECT count(*) FROM flow_log WHERE a = ?", (account.a,))
    return {"total": total, "starts": flows.log(state.db, account.a, limit)}


def _flows(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    rows = state.db.rows("SELECT * FROM flows WHERE a = ? ORDER BY n", (account.a,))
    return {"flows": [{**dict(row), "id": ids.short_id(row["n"], "flow")} for row in rows]}


def _requests(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    return {"requests": state.journal.requests(account.a, int(parameters.get("limit", 5_000)))}


def _stats(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    """Counters per endpoint and over all; `throttled` counts the 429s, planned ones too."""
    endpoints = state.journal.counters(account.a)
    for values in endpoints.values():
        values.setdefault("calls", 0)
        values["throttled"] = values.get("status_429", 0)
        values.setdefault("profiles_written", 0)
    totals = {
        name: sum(values.get(name, 0) for values in endpoints.values())
        for name in (
            "calls",
            "throttled",
            "profiles_written",
            "events_written",
            "memberships_added",
            "memberships_removed",
        )
    }
    return {"endpoints": endpoints, "totals": totals, "violations": state.journal.violations(account.a)}


def _faults(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    return {"faults": state.faults.plan(account.name)}


def _apps(state: State, account: Account, parameters: dict[str, str]) -> dict[str, Any]:
    """What is installed; of tokens nothing."""
    shown = ("client", "scopes", "role", "created", "used")
    rows = grants.installed(state.db, account.a)
    return {"apps": [{name: row[name] for name in shown} for row in rows]}


READS: dict[str, Callable[[State, Account, dict[str, str]], Any]] = {
    "state": _state,
    "profiles": _profiles,
    "lists": _lists,
    "events": _events,
    "jobs": _jobs,
    "flows": _flows,
    "flow-log": _flow_log,
    "requests": _requests,
    "stats": _stats,
    "faults": _faults,
    "apps": _apps,
}
