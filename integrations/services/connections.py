"""Connecting to a destination, its health, and switching it on and off."""

from dataclasses import replace
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.errors import ConfigurationError, DestinationError
from integrations.gateway import registry
from integrations.gateway.port import Channel
from integrations.gateway.values import BatchKind, ConnectionReport
from integrations.models import (
    AuthMethod,
    BatchState,
    Delivery,
    DeliveryState,
    Extension,
    Health,
    Lane,
    LaneName,
    SyncBatch,
)
from integrations.services import health, routing, tokens
from portal.tenancy.models import Tenant
from portal.tenancy.secrets import Secret, UnreadableSecret


def open_channel(extension: Extension) -> Channel:
    """Return a live channel with the connection's credentials. Raises ConfigurationError without any.

    By OAuth the access token is renewed first where it ends soon, and by the channel where it is refused.
    """
    destination = registry.get(extension.destination)
    if not tokens.fresh(extension).secret:
        raise ConfigurationError(tokens.not_connected(extension))
    credentials = extension.credentials(
        default_url=destination.default_base_url(), default_revision=destination.default_revision()
    )
    if extension.auth_method == AuthMethod.OAUTH:
        credentials = replace(credentials, renew=partial(tokens.renew, extension))
    return destination.open(credentials)


def create(tenant: Tenant, *, destination: str, name: str) -> Extension:
    """Make a connection, not active yet, with its two lanes. Raises ConfigurationError for a taken name."""
    registry.get(destination)
    try:
        with transaction.atomic():
            extension = Extension.objects.create(tenant=tenant, destination=destination, name=name)
    except IntegrityError as error:
        raise ConfigurationError(
            f"There is a connection called “{name}” already. Choose another name."
        ) from error
    ensure_lanes(extension)
    return extension


def ensure_lanes(extension: Extension) -> None:
    Lane.objects.bulk_create(
        [Lane(extension=extension, name=name) for name in LaneName.values], ignore_conflicts=True
    )


def store_key(extension: Extension, text: str) -> bool:
    """Keep a private key, without any call; return whether it is a new one. Raises ConfigurationError.

    A new key is not checked yet: on an active connection a worker does so at once, otherwise when it is
    switched on. The account that the key opens is compared then.
    """
    secret = Secret(registry.get(extension.destination).validate_secret(text))
    if extension.secret == secret and extension.auth_method == AuthMethod.PRIVATE_KEY:
        return False
    forget_access(extension)
    extension.secret = secret
    extension.auth_method = AuthMethod.PRIVATE_KEY
    extension.save(update_fields=["secret", "auth_method"])
    health.forget(extension)
    return True


def hold(extension: Extension) -> None:
    """Inside a transaction: lock the row and see it as it is now; somebody may have connected it meanwhile.

    NO KEY, so that workers who write rows of the connection (their foreign key shares it) wait for nothing.
    """
    fields = [*tokens.TOKEN_FIELDS, "account_id", "account_name", "is_active", "health", "health_reason"]
    locked = Extension.objects.select_for_update(no_key=True)
    try:
        extension.refresh_from_db(fields=fields, from_queryset=locked)
    except UnreadableSecret:  # the encryption key is lost, so there is nothing left to keep
        Extension.objects.filter(pk=extension.pk).update(secret=None, refresh_token=None)
        extension.refresh_from_db(fields=fields, from_queryset=locked)


def forget_access(extension: Extension) -> None:
    """Forget the key, or the grant with all that belongs to it; whose account it is, is kept."""
    extension.secret = extension.refresh_token = None
    extension.granted_scopes = []
    extension.token_expires_at = extension.refreshed_at = None
    extension.refresh_lease_until = extension.removed_at = None
    extension.save(update_fields=[name for name in tokens.TOKEN_FIELDS if name != "auth_method"])


def follow_address(extension: Extension, before: str) -> bool:
    """The address of the API is no longer `before`: whether the stored key, or the grant, had to go.

    Neither is ever sent to another origin than the one that it was meant for.
    """
    usual = registry.get(extension.destination).default_base_url()
    is_elsewhere = _origin(extension.base_url or usual) != _origin(before or usual)
    is_cleared = is_elsewhere and bool(extension.secret or extension.refresh_token)
    if is_cleared:
        forget_access(extension)
    health.forget(extension)
    return is_cleared


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def check(extension: Extension) -> ConnectionReport:
    """Ask the destination who we are and what we may do; store the answer as health.

    Raises DestinationError after storing what is wrong; a temporary failure leaves the health alone.
    """
    try:
        report = open_channel(extension).check()
        same_account(extension, report)
    except DestinationError as error:
        extension.checked_at = timezone.now()
        extension.save(update_fields=["checked_at"])
        health.attention(extension, error)
        raise
    remember(extension, report)
    return report


def remember(extension: Extension, report: ConnectionReport) -> None:
    """Store what a check found. Raises ConfigurationError where another active connection has the account."""
    if report.missing_scopes:
        words = _lacking(extension, report)
        _store(extension, report, Health.ATTENTION, words)
    else:
        _store(extension, report, Health.OK, "")


def _lacking(extension: Extension, report: ConnectionReport) -> str:
    what = f"the permission {', '.join(report.missing_scopes)}"
    if extension.auth_method == AuthMethod.OAUTH:
        return f"The connection lacks {what}. Connect again and allow it."
    return f"The key lacks {what}. Create a key that has it."


def same_account(extension: Extension, report: ConnectionReport) -> None:
    """Another account stops with both names: what was sent belongs to the first."""
    if extension.account_id and report.account_id != extension.account_id:
        raise ConfigurationError(
            f"This key belongs to the account {report.account_name} ({report.account_id}), but the connection was "
            f"made with {extension.account_name} ({extension.account_id}). Use a key of that account, or make a "
            "new connection."
        )


def _store(extension: Extension, report: ConnectionReport, state: Health, words: str) -> None:
    was_well = extension.health == Health.OK
    extension.account_id, extension.account_name = report.account_id, report.account_name[:200]
    extension.is_practice, extension.missing_scopes = report.is_practice, list(report.missing_scopes)
    extension.checked_at = timezone.now()
    try:
        with transaction.atomic():
            extension.save(
                update_fields=["account_id", "account_name", "is_practice", "missing_scopes", "checked_at"]
            )
    except IntegrityError as error:
        clash = ConfigurationError(
            f"The account {report.account_name} is connected by another active connection already. "
            "Switch that one off first."
        )
        health.set_health(extension, Health.ATTENTION, clash.words)
        raise clash from error
    health.set_health(extension, state, words)
    if state == Health.OK and not was_well:
        Lane.objects.filter(extension=extension).update(nudged=True)


def everybody_is_due(extension: Extension, reason: str) -> None:
    """A full run follows by itself; the reason is told with it."""
    extension.full_due_at, extension.full_due_reason = timezone.now(), reason
    extension.save(update_fields=["full_due_at", "full_due_reason"])


def set_active(
    extension: Extension, active: bool, waiting: Literal["history", "discard"] = "history"
) -> None:
    """Switch on or off. Off stops everything and keeps mappings and what waits.

    On: events from the time off (and those that waited) are sent as history, or discarded. Raises
    ConfigurationError when another connection of the tenant, or of the account, is active, and where our
    access was removed on the other side.
    """
    if extension.is_active == active:
        return
    if active and extension.removed_at is not None:
        raise ConfigurationError(extension.health_reason or tokens.not_connected(extension))
    now = timezone.now()
    extension.is_active = active
    if active:
        extension.active_since = now
        if extension.account_id:
            extension.full_due_at, extension.full_due_reason = now, "Switched on"
        if waiting == "discard":
            extension.events_since = now
    try:
        with transaction.atomic():
            extension.save(
                update_fields=["is_active", "active_since", "full_due_at", "full_due_reason", "events_since"]
            )
            if active:
                _settle_waiting(extension, waiting)
    except IntegrityError as error:
        extension.is_active = not active
        raise ConfigurationError(
            f"Another connection of {extension.tenant} to this destination, or to the same account, is active. "
            "Switch that one off first."
        ) from error
    ensure_lanes(extension)
    Lane.objects.filter(extension=extension).update(nudged=active)
    health.ask_for_proof(extension)


def _settle_waiting(extension: Extension, waiting: str) -> None:
    """What waited while the connection was off: nothing of it may start a flow."""
    on_their_way = SyncBatch.objects.filter(
        extension=extension,
        kind__in=[BatchKind.EVENTS, BatchKind.SINGLE_EVENTS],
        state__in=[BatchState.PLANNED, BatchState.SENDING],
    )
    routing.let_go(on_their_way)
    open_ones = Delivery.objects.open().filter(extension=extension)
    if waiting == "discard":
        open_ones.update(
            state=DeliveryState.HELD,
            code="discarded",
            words="Discarded when the connection was switched on.",
            settled_at=timezone.now(),
        )
        # Events nobody routed yet were made while it was off: they are history, and older than events_since.
        return
    open_ones.update(history=True)


def waiting_events(extension: Extension) -> int:
    """How many events would be told as history if the connection were switched on now."""
    return routing.waiting_events(extension)
