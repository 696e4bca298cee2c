"""What the control API changes: faults, scopes, refusals, limits, lag, flows, consent given or withdrawn by
people.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.faults import read_fault
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store import consent, flows, grants, lists
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.store.profiles import Profile
from integrations.klaviyo.sandbox.store.workspace import Identity, Workspace

Body = dict[str, Any]


def _add_fault(state: State, account: Account, body: Body) -> Body:
    plans = body.get("faults", [body])
    for plan in plans:
        state.faults.add(account.name, read_fault(plan))
    return {"faults": state.faults.plan(account.name)}


def _clear_faults(state: State, account: Account, body: Body) -> Body:
    state.faults.clear(account.name)
    return {"faults": []}


def _set_scopes(state: State, account: Account, body: Body) -> Body:
    """{"scopes": [...] or null for all, "key": "pk_…" or absent for every key of the account}."""
    key, scopes = body.get("key", "*"), body.get("scopes")
    if scopes is None:
        account.settings.scopes.pop(key, None)
    else:
        account.settings.scopes[key] = list(scopes)
    return _saved(state, account)


_REFUSAL_MODES = {"later": ("later",), "now": ("now",), "always": ("later", "alone")}


def _refuse(state: State, account: Account, body: Body) -> Body:
    """{"emails": [...], "detail": "...", "mode": "later" (import errors), "now" (400 without pointers), or
    "always" (import errors, and a 400 where the profile is written alone)}; [] forgives all.
    """
    modes = _REFUSAL_MODES.get(str(body.get("mode", "later")))
    if modes is None:
        raise ValueError("mode must be 'later', 'now' or 'always'")
    emails = {str(email).lower() for email in body.get("emails", [])}
    detail = str(body.get("detail", "This address cannot be imported."))
    for mode in modes:
        target = account.refused()[mode]
        if not emails:
            target.clear()
        target.update(dict.fromkeys(emails, detail))
    return _saved(state, account)


def _set_limits(state: State, account: Account, body: Body) -> Body:
    """{"limits_scale": 2.0}: multiplies every limit; 0 switches them off, null follows the process."""
    scale = body.get("limits_scale")
    account.settings.limits_scale = None if scale is None else float(scale)
    return _saved(state, account)


def _set_lag(state: State, account: Account, body: Body) -> Body:
    seconds = body.get("seconds")
    account.settings.lag_seconds = None if seconds is None else float(seconds)
    return _saved(state, account)


def _set_settings(state: State, account: Account, body: Body) -> Body:
    """Any of default_opt_in, drop_test_domains, seed."""
    for name, kind in (("default_opt_in", str), ("drop_test_domains", bool), ("seed", int)):
        if name in body:
            setattr(account.settings, name, kind(body[name]))
    return _saved(state, account)


def _add_flow(state: State, account: Account, body: Body) -> Body:
    """{"name", "list": id or name | "metric": name, "status": "live" (default), "draft" or "manual"}."""
    list_n = None
    if "list" in body:
        row = lists.by_id(state.db, account.a, str(body["list"])) or state.db.row(
            "SELECT n FROM lists WHERE a = ? AND name = ?", (account.a, str(body["list"]))
        )
        if row is None:
            raise LookupError(f"list {body['list']}")
        list_n = row["n"]
    number = flows.create(
        state.db,
        account.a,
        name=str(body.get("name", "Practice flow")),
        status=str(body.get("status", "live")),
        list_n=list_n,
        metric=body.get("metric"),
    )
    return {"id": ids.short_id(number, "flow")}


def _confirm(state: State, account: Account, body: Body) -> Body:
    """A person clicks the double opt-in mail: {"email"}."""

    def click(profile: Profile, now: int) -> None:
        for channel, wish in consent.pending(profile).items():
            consent.subscribe(profile, channel, now=now, at=now, source=wish["source"], is_double=True)
            consent.lift(state.db, profile.n, consent.LIFTED_BY_SUBSCRIBE)
            if wish["list"]:
                lists.add(state.db, account.a, wish["list"], [profile.n])

    return _with_person(state, account, body, click)


def _unsubscribe(state: State, account: Account, body: Body) -> Body:
    """A person unsubscribes in Klaviyo: {"email"}."""

    def leave(profile: Profile, now: int) -> None:
        consent.unsubscribe(profile, "email.marketing", now=now)
        consent.suppress(state.db, account.a, profile.n, "UNSUBSCRIBE", now)

    return _with_person(state, account, body, leave)


def _suppress(state: State, account: Account, body: Body) -> Body:
    """A bounce or complaint: {"email", "reason": "HARD_BOUNCE"}."""

    def bounce(profile: Profile, now: int) -> None:
        consent.suppress(state.db, account.a, profile.n, str(body.get("reason", "HARD_BOUNCE")), now)

    return _with_person(state, account, body, bounce)


def _with_person(state: State, account: Account, body: Body, act: Callable[[Profile, int], None]) -> Body:
    now = int(time.time())
    with state.db.transaction():
        workspace = Workspace(state.db, account.a, now)
        identity = Identity(None, None, str(body["email"]).lower(), None)
        workspace.load([identity])
        profile = workspace.find(identity)
        if profile is None:
            raise LookupError(f"profile {body['email']}")
        act(profile, now)
        workspace.touch(profile)
        workspace.save()
    return {"id": profile.id}


def _oauth(state: State, account: Account, body: Body) -> Body:
    """Any of expires_in (seconds of tokens from now on), rotates, scopes (of what is installed), expire_now."""
    if "expires_in" in body:
        account.settings.token_seconds = int(body["expires_in"])
    if "rotates" in body:
        account.settings.rotates_refresh = bool(body["rotates"])
    if "scopes" in body:
        grants.set_scopes(state.db, account.a, " ".join(body["scopes"]))
    if body.get("expire_now"):
        grants.end_tokens(state.db, account.a)
    return _saved(state, account)


def _uninstall(state: State, account: Account, body: Body) -> Body:
    """The merchant removes the app: its tokens die, and nobody tells it."""
    return {"removed": grants.uninstall(state.db, account.a)}


def _reset(state: State, account: Account, body: Body) -> Body:
    state.faults.clear(account.name)
    state.accounts.drop(account)
    state.journal.forget(account.a)
    return {"dropped": account.name}


def _saved(state: State, account: Account) -> Body:
    state.accounts.save(account)
    return {"settings": account.settings.to_dict()}


CHANGES: dict[tuple[str, str], Callable[[State, Account, Body], Any]] = {
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "scopes"): _set_scopes,
    ("POST", "refuse"): _refuse,
    ("POST", "limits"): _set_limits,
    ("POST", "lag"): _set_lag,
    ("POST", "settings"): _set_settings,
    ("POST", "flows"): _add_flow,
    ("POST", "confirm"): _confirm,
    ("POST", "unsubscribe"): _unsubscribe,
    ("POST", "suppress"): _suppress,
    ("POST", "oauth"): _oauth,
    ("POST", "uninstall"): _uninstall,
    ("POST", "reset"): _reset,
}
