"""Connecting by OAuth: somebody goes to the destination's Allow page and comes back, and may take it back.

What keeps the access alive afterwards is services/tokens.py.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.models import AuthMethod, Extension, SignInAttempt
from integrations.services import binding, connections, health, tokens
from integrations.services.binding import OtherAccount
from integrations.services.tokens import fresh, lost, sign_in_of
from portal.runtime import queue
from portal.tenancy.models import User
from portal.tenancy.secrets import Secret

GOOD_FOR = timedelta(minutes=10)
KEPT_FOR = timedelta(hours=1)
UNUSED_FOR = timedelta(hours=23)  # a grant that nobody used for so long is used by the clock
STATE_BYTES = 32
VERIFIER_BYTES = 64  # 86 characters; PKCE allows 43 to 128

__all__ = [
    "AttemptOver",
    "OtherAccount",
    "Refused",
    "StateMismatch",
    "begin",
    "disconnect",
    "finish",
    "fresh",
    "keep_alive",
    "keep_one_alive",
    "lost",
    "on_the_way",
    "redirect_uri",
    "refused",
]


class StateMismatch(ConfigurationError):
    """The answer belongs to no trip of this person: an old tab, another log-in, or somebody's trick."""

    code = "state_mismatch"


class AttemptOver(ConfigurationError):
    """The trip took too long, or its answer was used before."""

    code = "attempt_over"


@dataclass(frozen=True)
class Refused:
    """The trip ended without access: why, in words for people, and for which connection where that is known."""

    words: str
    extension: Extension | None


def redirect_uri(extension: Extension) -> str:
    """Where the destination sends people back to; its app must have exactly this address registered."""
    return f"{settings.PORTAL_URL}/integrations/{extension.destination}/callback"


def begin(extension: Extension, user: User) -> str:
    """Start a trip for this person; return the address of the Allow page.

    Raises ConfigurationError where signing in is not offered.
    """
    sign_in = sign_in_of(extension)
    SignInAttempt.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    state, verifier = secrets.token_urlsafe(STATE_BYTES), secrets.token_urlsafe(VERIFIER_BYTES)
    SignInAttempt.objects.create(
        extension=extension, user=user, state_digest=_digest(state), verifier=Secret(verifier)
    )
    return sign_in.allow_url(
        state=state, challenge=_challenge(verifier), redirect_uri=redirect_uri(extension)
    )


def on_the_way(*, user: User, state: str) -> Extension | None:
    """The connection that this person set out for with that state; None where there is none."""
    attempt = _attempt(user, state)
    return attempt.extension if attempt else None


def finish(*, user: User, state: str, code: str) -> Extension:
    """Fetch the access that was allowed, prove whose account it is, and keep it; return the connection.

    Mappings and what was sent stay as they are. A connection that was removed on the other side is switched
    on again, and what waited is told as history. Raises StateMismatch, AttemptOver, OtherAccount, and what
    the exchange or the check raises; nothing is changed then.
    """
    attempt = _take(user, state)
    extension = attempt.extension
    verifier = attempt.verifier.reveal() if attempt.verifier else ""
    granted = sign_in_of(extension).exchange(
        code=code, verifier=verifier, redirect_uri=redirect_uri(extension)
    )
    report = binding.check(extension, granted)
    try:
        binding.keep(extension, granted, report)
    except OtherAccount:
        binding.give_back(extension, granted.refresh, report.account_id)
        raise
    return extension


def refused(*, user: User, state: str, error: str, description: str) -> Refused:
    """The destination sent the person back without access; the trip is over."""
    attempt = _attempt(user, state)
    if attempt is None:
        return Refused(_mismatch().words, None)
    SignInAttempt.objects.filter(pk=attempt.pk, used_at=None).update(used_at=timezone.now())
    return Refused(_refusal_words(attempt.extension, error, description), attempt.extension)


def disconnect(extension: Extension) -> str:
    """Switch off, forget the access and give it back; the mappings, the account and what was sent stay.

    Returns what a person should be told: empty when all went well, otherwise why the access stands there
    still. It is forgotten first, so that no worker renews what is being given back.
    """
    with transaction.atomic():
        connections.hold(extension)
        refresh = extension.refresh_token
        connections.set_active(extension, False)
        connections.forget_access(extension)
    health.forget(extension)
    return binding.give_back(extension, refresh, extension.account_id) if refresh else ""


def keep_alive(now: datetime) -> int:
    """Queue a task for every grant that nobody used for a day, switched off or not; return how many."""
    unused = Q(refreshed_at=None) | Q(refreshed_at__lt=now - UNUSED_FOR)
    due = Extension.objects.filter(unused, auth_method=AuthMethod.OAUTH, removed_at=None)
    ids = list(due.exclude(refresh_token=None).values_list("pk", flat=True))
    for pk in ids:
        queue.enqueue("integrations.tasks.keep_alive", pk, lane="bulk")
    return len(ids)


def keep_one_alive(extension: Extension) -> None:
    """Use the grant and ask whose account it is. Raises DestinationError after storing what is wrong."""
    tokens.renew_now(extension)
    connections.check(extension)


# The way there and back ----------------------------------------------------------------------------


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _attempt(user: User, state: str) -> SignInAttempt | None:
    found = SignInAttempt.objects.select_related("extension__tenant")
    found = found.defer("extension__secret", "extension__refresh_token")
    return found.filter(state_digest=_digest(state), user=user).first()


def _mismatch() -> StateMismatch:
    return StateMismatch(
        "This answer does not belong to a sign-in that you started here. Nothing was connected. Start again from "
        "the connection's page, in this browser."
    )


def _take(user: User, state: str) -> SignInAttempt:
    """Use the trip up: once, soon, and for the person who set out."""
    attempt = _attempt(user, state)
    if attempt is None:
        raise _mismatch()
    now = timezone.now()
    if attempt.created_at < now - GOOD_FOR:
        raise AttemptOver(
            "This sign-in was started more than 10 minutes ago. Nothing was changed. Start again."
        )
    if not SignInAttempt.objects.filter(pk=attempt.pk, used_at=None).update(used_at=now):
        raise AttemptOver("This sign-in was used already. Look at the connection, or start again.")
    return attempt


def _refusal_words(extension: Extension, error: str, description: str) -> str:
    destination = registry.get(extension.destination)
    role = destination.sign_in.role_help if destination.sign_in else ""
    said = f" ({destination.label} says: {description[:200].rstrip('.')}.)" if description else ""
    if error == "access_denied":
        return (
            f"{destination.label} was not connected, because the access was not allowed there. {role}{said}"
        )
    if error in ("server_error", "temporarily_unavailable"):
        return f"{destination.label} could not answer just now. Nothing was changed. Try again in a minute.{said}"
    reason = said or f" ({destination.label} says: {error[:60] or 'no reason given'}.)"
    return (
        f"{destination.label} refused the sign-in. Nothing was changed. Try again; if it stays so, tell the portal's "
        f"operator that the app there does not fit this portal.{reason}"
    )
