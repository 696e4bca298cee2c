"""Who is calling: a private key, or an installed app by its access token."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from integrations.klaviyo.sandbox.errors import ApiError, error_object
from integrations.klaviyo.sandbox.store import grants
from integrations.klaviyo.sandbox.store.accounts import Account, Accounts
from integrations.klaviyo.sandbox.store.database import Database

_KEY = re.compile(r"pk_([A-Za-z0-9.-]+)_(\S+)")
_SCHEMES = 'Klaviyo-API-Key realm="api", Bearer realm="api"'

NOT_PROVIDED = "Authentication credentials were not provided."
BAD_KEY = "Missing or invalid private key."
BAD_TOKEN = "Missing or invalid access token."


@dataclass(frozen=True, slots=True)
class Caller:
    """An account, the kind of credential (it decides the rate-limit pool) and the scopes; None means all of
    them.
    """

    account: Account
    auth_kind: str
    credential: str
    scopes: frozenset[str] | None


def identify(db: Database, accounts: Accounts, header: str | None) -> Caller:
    """The caller behind an Authorization header; 401 as recorded from live accounts otherwise."""
    if not header:
        raise unauthorized(NOT_PROVIDED)
    scheme, _, credential = header.partition(" ")
    reader = _READERS.get(scheme.lower())
    if reader is None:
        raise unauthorized(NOT_PROVIDED)
    return reader(db, accounts, credential.strip())


def require(caller: Caller, scopes: tuple[str, ...]) -> None:
    """403 naming the first scope that the credential lacks."""
    if caller.scopes is None:
        return
    for scope in scopes:
        if scope not in caller.scopes:
            raise forbidden(scope)


def unauthorized(detail: str) -> ApiError:
    error = error_object(401, "not_authenticated", "Authentication failed.", detail, pointer="/data/")
    return ApiError(401, [error], {"Www-Authenticate": _SCHEMES})


def forbidden(scope: str) -> ApiError:
    detail = f"You do not have permission to perform this action. Missing scope: {scope}."
    return ApiError(
        403, [error_object(403, "permission_denied", "Permission denied.", detail, pointer="/data/")]
    )


def _private_key(db: Database, accounts: Accounts, credential: str) -> Caller:
    """Any key pk_<account>_<anything> opens an account of that name, made on first use."""
    match = _KEY.fullmatch(credential)
    if match is None:
        raise unauthorized(BAD_KEY)
    account = accounts.open(match[1])
    limited = account.settings.scopes.get(credential, account.settings.scopes.get("*"))
    return Caller(account, "key", credential, frozenset(limited) if limited is not None else None)


def _access_token(db: Database, accounts: Accounts, credential: str) -> Caller:
    """An installed app: its calls count in a pool of its own, and it may what was granted."""
    grant = grants.by_token(db, credential, time.time())
    account = accounts.by_number(grant["a"]) if grant is not None else None
    if grant is None or account is None:
        raise unauthorized(BAD_TOKEN)
    return Caller(account, "oauth", credential, frozenset(grant["scopes"].split()))


_READERS: dict[str, Callable[[Database, Accounts, str], Caller]] = {
    "klaviyo-api-key": _private_key,
    "bearer": _access_token,
}
