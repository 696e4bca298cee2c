"""What a manager sets on a connection, and what follows from it."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from integrations.errors import ConfigurationError
from integrations.models import Extension
from integrations.services import connections

# A change of these concerns every profile, so that all must be looked at again.
_FOR_EVERYBODY = frozenset({"merge_policy", "only_opted_in"})


def change(extension: Extension, values: Mapping[str, object]) -> bool:
    """Store what differs; return whether everybody is looked at again. Raises ConfigurationError (taken name)."""
    changed = [name for name, value in values.items() if getattr(extension, name) != value]
    if not changed:
        return False
    for name in changed:
        setattr(extension, name, values[name])
    try:
        with transaction.atomic():
            extension.save(update_fields=changed)
    except IntegrityError as error:
        raise ConfigurationError(
            f"There is a connection called “{extension.name}” already. Choose another name."
        ) from error
    is_due = extension.is_active and bool(extension.account_id) and not _FOR_EVERYBODY.isdisjoint(changed)
    if is_due:
        connections.everybody_is_due(extension, "Settings changed")
    return is_due
