"""Whose access a fresh grant gives, and whether a connection may keep it."""

import logging
from copy import copy

from django.db import transaction

from integrations.errors import ConfigurationError, DestinationError, UnexpectedAnswer
from integrations.gateway import registry
from integrations.gateway.values import ConnectionReport, Tokens
from integrations.models import AuthMethod, Extension
from integrations.services import connections, tokens
from integrations.services.tokens import sign_in_of
from portal.tenancy.secrets import Secret

logger = logging.getLogger(__name__)


class OtherAccount(ConfigurationError):
    """Another account than the connection's, or one that another connection has; nothing was changed."""

    code = "other_account"


def check(extension: Extension, granted: Tokens) -> ConnectionReport:
    """Ask with the fresh token alone: nothing of it is stored yet."""
    destination = registry.get(extension.destination)
    candidate = copy(extension)
    candidate.auth_method, candidate.secret, candidate.account_id = AuthMethod.OAUTH, granted.access, ""
    credentials = candidate.credentials(
        default_url=destination.default_base_url(), default_revision=destination.default_revision()
    )
    report = destination.open(credentials).check()
    if not report.account_id:
        raise UnexpectedAnswer(f"{destination.label} did not say which account this is. Connect again.")
    return report


def refuse_other_account(extension: Extension, report: ConnectionReport) -> None:
    """Another account stops with both names: what was sent belongs to the first."""
    if extension.account_id and report.account_id != extension.account_id:
        raise OtherAccount(
            f"You allowed the account {report.account_name} ({report.account_id}), but this connection belongs to "
            f"{extension.account_name} ({extension.account_id}). Nothing was changed. Sign in there as "
            f"{extension.account_name}, or make a new connection for {report.account_name}."
        )
    others = Extension.objects.active().filter(
        destination=extension.destination, account_id=report.account_id
    )
    other = others.exclude(pk=extension.pk).select_related("tenant").first()
    if other is not None:
        raise _taken(extension, report, other)


def _taken(extension: Extension, report: ConnectionReport, other: Extension | None) -> OtherAccount:
    """The name of another tenant's connection is not ours to tell."""
    is_own = other is not None and other.tenant_id == extension.tenant_id
    whom = f"by “{other}”" if other is not None and is_own else "to another loyalty programme of this portal"
    return OtherAccount(
        f"The account {report.account_name} ({report.account_id}) is connected {whom} already, so “{extension.name}” "
        "cannot have it too. Nothing was changed. Switch the other one off first, or choose another account."
    )


def give_back(extension: Extension, refresh: Secret, account_id: str) -> str:
    """Give back an access that we do not keep; but never one that another connection to the account lives by.

    To give back one grant takes the whole app out of the account there. Returns what a person should be
    told when that was not possible, else "".
    """
    label = registry.get(extension.destination).label
    sharing = Extension.objects.filter(
        destination=extension.destination,
        account_id=account_id,
        auth_method=AuthMethod.OAUTH,
        removed_at=None,
    )
    if account_id and sharing.exclude(refresh_token=None).exists():
        return f"{label} still allows this portal, because another connection here uses the same account."
    try:
        sign_in_of(extension).revoke(refresh)
    except DestinationError as error:
        logger.warning("connection %s: access not given back: %s", extension.pk, error.words)
        return f"{label} could not be told, so remove this portal's app there yourself. {error.words}"
    return ""


def keep(extension: Extension, granted: Tokens, report: ConnectionReport) -> None:
    """Store the access and what the check found, all or nothing. Raises OtherAccount.

    A connection that was removed on the other side is switched on again, unless another took its place.
    """
    try:
        with transaction.atomic():
            connections.hold(extension)
            refuse_other_account(extension, report)
            _store(extension, granted, report)
    except OtherAccount:
        raise
    except ConfigurationError as error:
        extension.refresh_from_db()
        raise _taken(extension, report, None) from error


def _store(extension: Extension, granted: Tokens, report: ConnectionReport) -> None:
    was_removed = extension.removed_at is not None
    values = tokens.values_of(granted, extension) | {
        "auth_method": AuthMethod.OAUTH.value,
        "removed_at": None,
        "refresh_lease_until": None,  # whoever renews the old grant just now stores nothing any more
    }
    for name, value in values.items():
        setattr(extension, name, value)
    extension.save(update_fields=list(values))
    connections.remember(extension, report)
    if was_removed:
        _switch_on(extension)


def _switch_on(extension: Extension) -> None:
    """What waited is told as history: nothing of it may start a flow."""
    try:
        connections.set_active(extension, True, waiting="history")
    except ConfigurationError as error:
        logger.warning("connection %s stays off: %s", extension.pk, error.words)
        extension.refresh_from_db()
