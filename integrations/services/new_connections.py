"""Connections in the making: named and given the usual mappings, until somebody signs in."""

from itertools import count

from django.db import transaction

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.models import Extension, FieldMapping
from integrations.services import connections
from loyalty.fields import STANDARD_PROPERTIES
from portal.tenancy.models import Tenant


def create(tenant: Tenant, *, destination: str, name: str) -> Extension:
    """A draft with the standard properties; the standard events need no rows.

    Raises ConfigurationError for a taken name or a destination that is not installed.
    """
    with transaction.atomic():
        extension = connections.create(tenant, destination=destination, name=name)
        FieldMapping.objects.bulk_create(
            FieldMapping(extension=extension, field=field, property=name)
            for field, name in STANDARD_PROPERTIES
        )
    return extension


def free_name(tenant: Tenant, destination: str) -> str:
    """The destination's name, with a number where this tenant uses it already."""
    label = registry.get(destination).label
    taken = set(Extension.objects.for_tenant(tenant).values_list("name", flat=True))
    numbered = (f"{label} {number}" for number in count(2))
    return label if label not in taken else next(name for name in numbered if name not in taken)


def is_draft(extension: Extension) -> bool:
    """Never connected: no account is known, and nothing was ever sent."""
    return not extension.account_id and extension.active_since is None


def delete(extension: Extension) -> None:
    """Forget a draft. Raises ConfigurationError once it was connected: its history hangs on it then."""
    drafts = Extension.objects.filter(account_id="", active_since=None, is_active=False, runs=None)
    gone, _ = drafts.filter(pk__in=[extension.pk]).delete()
    if not gone:
        raise ConfigurationError(
            f"{extension.name} was connected before, and its history hangs on it. Disconnect it instead."
        )
