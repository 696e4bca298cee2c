"""Access tokens of connections by OAuth: renewed before they end, by one worker for all.

Who holds `refresh_lease_until` renews alone; no transaction is held over the call. Who comes meanwhile
waits a moment for the new token, then comes back later. The lease is also the proof that nobody signed in
anew while we asked: without it nothing is stored.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from integrations.errors import AuthenticationError, ConfigurationError, PortalNotAccepted, Temporary
from integrations.gateway import registry
from integrations.gateway.port import SignIn
from integrations.gateway.values import Tokens
from integrations.models import AuthMethod, Extension, Health
from integrations.models.extensions import ExtensionQuerySet
from integrations.services import routing
from portal.tenancy.secrets import Secret
from portal.wording import counted

logger = logging.getLogger(__name__)

EARLY = timedelta(seconds=120)  # before its end a token is renewed
LEASE = timedelta(seconds=60)  # outlasts a call; a worker that was killed holds nobody up for longer
WAIT_SECONDS = 2.0
LOOK_SECONDS = 0.1

TOKEN_FIELDS = [
    "auth_method",
    "secret",
    "refresh_token",
    "granted_scopes",
    "token_expires_at",
    "refreshed_at",
    "refresh_lease_until",
    "removed_at",
]
_STATE_FIELDS = [*TOKEN_FIELDS, "is_active", "health", "health_reason", "health_since"]


def sign_in_of(extension: Extension) -> SignIn:
    """How the connection's destination is signed in to.

    Raises ConfigurationError where it has no such way, PortalNotAccepted where the operator offers none.
    """
    destination = registry.get(extension.destination)
    sign_in = destination.sign_in
    if sign_in is None:
        raise ConfigurationError(f"{destination.label} is connected by a key only.")
    if not sign_in.is_offered():
        raise PortalNotAccepted(
            f"This portal has no app at {destination.label} yet, so it cannot be allowed there. Connect by a "
            "private key, or ask the portal's operator to register one."
        )
    return sign_in


def connect_address(extension: Extension) -> str:
    """The page on which a person connects it (no `reverse`: a worker would load every view for it)."""
    return f"{settings.PORTAL_URL}/t/{extension.tenant.slug}/integrations/{extension.pk}/"


def fresh(extension: Extension) -> Extension:
    """The connection with an access token that lives for a while; by key it is returned as it is.

    Raises AuthenticationError when our access was removed, Temporary while another worker renews it, and
    whatever else asking for a token can raise.
    """
    if extension.auth_method == AuthMethod.OAUTH and (extension.secret or extension.removed_at):
        _renew(extension, lambda: not _ends_soon(extension))
    return extension


def renew(extension: Extension, refused: Secret) -> Secret:
    """An access token other than the `refused` one. Raises as `fresh` does."""
    _renew(extension, lambda: extension.secret != refused)
    return extension.secret or Secret("")


def renew_now(extension: Extension) -> None:
    """Renew whatever its age: proves that the grant still stands, and counts as use of it."""
    before = extension.refreshed_at
    _renew(extension, lambda: extension.refreshed_at != before)


def _ends_soon(extension: Extension) -> bool:
    end = extension.token_expires_at
    return end is None or end <= timezone.now() + EARLY


def _renew(extension: Extension, is_done: Callable[[], bool]) -> None:
    if is_done() and extension.removed_at is None:
        return
    deadline = time.monotonic() + WAIT_SECONDS
    while not _is_settled(extension, is_done):
        lease = _claim(extension)
        if lease is not None:
            _renew_under(extension, lease, is_done)
            return
        if time.monotonic() >= deadline:
            raise Temporary("Another worker is renewing our access just now. We try again.")
        time.sleep(LOOK_SECONDS)


def _is_settled(extension: Extension, is_done: Callable[[], bool]) -> bool:
    """Look at the row as it is now; whether a good token is there. Raises where there will be none."""
    extension.refresh_from_db(fields=_STATE_FIELDS)
    if extension.removed_at is not None:
        raise AuthenticationError(extension.health_reason or _removed_words(extension))
    if extension.auth_method != AuthMethod.OAUTH or not extension.secret or not extension.refresh_token:
        raise ConfigurationError(not_connected(extension))
    return is_done()


def _claim(extension: Extension) -> datetime | None:
    """Take the lease for this worker; None when somebody has it."""
    now = timezone.now()
    free = Q(refresh_lease_until=None) | Q(refresh_lease_until__lt=now)
    claimed = Extension.objects.filter(free, pk=extension.pk).update(refresh_lease_until=now + LEASE)
    return now + LEASE if claimed else None


def _renew_under(extension: Extension, lease: datetime, is_done: Callable[[], bool]) -> None:
    """Ask for a token, unless one came between our look and our claim."""
    held = Extension.objects.filter(pk=extension.pk, refresh_lease_until=lease)
    try:
        if _is_settled(extension, is_done) or extension.refresh_token is None:
            return
        try:
            tokens = sign_in_of(extension).refresh(extension.refresh_token)
        except AuthenticationError as error:
            _lose(extension, held)
            raise AuthenticationError(extension.health_reason) from error
        held.update(**values_of(tokens, extension), refresh_lease_until=None)
    finally:
        held.update(refresh_lease_until=None)
    extension.refresh_from_db(fields=_STATE_FIELDS)


def values_of(tokens: Tokens, extension: Extension) -> dict[str, object]:
    """The columns that hold `tokens`; scopes that are not told are those of before."""
    now = timezone.now()
    return {
        "secret": tokens.access,
        "refresh_token": tokens.refresh,
        "granted_scopes": sorted(tokens.scopes) or extension.granted_scopes,
        "token_expires_at": now + timedelta(seconds=tokens.expires_in),
        "refreshed_at": now,
    }


def lost(extension: Extension) -> None:
    """Our access was taken away on the other side: off and visible, and nothing forgotten that waits."""
    _lose(extension, Extension.objects.filter(pk=extension.pk))


def _lose(extension: Extension, rows: ExtensionQuerySet) -> None:
    """Mark the connection where it is still among `rows`. Raises Temporary where it was signed in anew."""
    now = timezone.now()
    marked = rows.update(
        is_active=False,
        removed_at=now,
        secret=None,
        health=Health.ATTENTION,
        health_reason=_removed_words(extension)[:500],
        health_since=now,
        refresh_lease_until=None,
    )
    if not marked:
        raise Temporary("The connection was signed in anew meanwhile. We try again.")
    extension.refresh_from_db(fields=_STATE_FIELDS)
    logger.warning("connection %s: our access was removed there", extension.pk)


def _removed_words(extension: Extension) -> str:
    waiting = routing.waiting_events(extension)
    events = f": {counted(waiting, 'event waits', 'events wait')}" if waiting else ""
    return (
        f"Removed in {registry.get(extension.destination).label}: somebody there took this portal's access away, or "
        f"it was not used for too long. Reconnect; nothing is lost{events}."
    )


def not_connected(extension: Extension) -> str:
    return f"{extension.name} is not connected yet: open {connect_address(extension)} and connect it there."
