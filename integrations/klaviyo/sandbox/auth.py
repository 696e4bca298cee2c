"""Who is calling. One function per scheme, so that OAuth is one more entry."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from integrations.klaviyo.sandbox.errors import ApiError, error_object
from integrations.klaviyo.sandbox.store.accounts import Account, Accounts

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


def identify(accounts: Accounts, header: str | None) -> Caller:
    """The caller behind an Authorization header; 401 as recorded from live accounts otherwise."""
    if not header:
        raise unauthorized(NOT_PROVIDED)
    scheme, _, credential = header.partition(" ")
    reader = _READERS.get(scheme.lower())
    if reader is None:
        raise unauthorized(NOT_PROVIDED)
    return reader(accounts, credential.strip())


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


def _private_key(accounts: Accounts, credential: str) -> Caller:
    """Any key pk_<account>_<anything> opens an account of that name, made on first use."""
    match = _KEY.fullmatch(credential)
    if match is None:
        raise unauthorized(BAD_KEY)
    account = accounts.open(match[1])
    limited = account.settings.scopes.get(credential, account.settings.scopes.get("*"))
    return Caller(account, "key", credential, frozenset(limited) if limited is not None else None)


def _access_token(accounts: Accounts, credential: str) -> Caller:
    raise unauthorized(BAD_TOKEN)


_READERS: dict[str, Callable[[Accounts, str], Caller]] = {
    "klaviyo-api-key": _private_key,
    "bearer": _access_token,
}
