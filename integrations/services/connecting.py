"""Connecting by private key: proven first, stored then. Signing in by OAuth is in grants."""

from copy import copy

from django.db import transaction

from integrations.gateway import registry
from integrations.gateway.values import ConnectionReport
from integrations.models import AuthMethod, Extension
from integrations.services import binding, connections
from portal.tenancy.secrets import Secret


def by_key(extension: Extension, key: str) -> ConnectionReport:
    """Ask the destination with this key, and keep it only where it is accepted for the same account.

    Raises DestinationError; nothing is stored then, and a key or grant that was there stays. A grant that
    the key replaces is given back.
    """
    candidate = copy(extension)
    candidate.secret = Secret(registry.get(extension.destination).validate_secret(key))
    candidate.auth_method = AuthMethod.PRIVATE_KEY
    report = connections.open_channel(candidate).check()
    with transaction.atomic():
        connections.hold(extension)
        connections.same_account(extension, report)
        grant = extension.refresh_token
        connections.store_key(extension, key)
        connections.remember(extension, report)
    if grant:
        binding.give_back(extension, grant, report.account_id)
    return report


def move(extension: Extension, *, base_url: str, revision: str) -> bool:
    """Speak to another address or revision of the API; whether the stored credentials had to go."""
    before = extension.base_url
    if (before, extension.revision) == (base_url, revision):
        return False
    extension.base_url, extension.revision = base_url, revision
    extension.save(update_fields=["base_url", "revision"])
    return connections.follow_address(extension, before)
