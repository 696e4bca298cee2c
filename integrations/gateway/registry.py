"""Finds the destinations that settings.DESTINATIONS names."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from integrations.errors import ConfigurationError
from integrations.gateway.port import Destination


@cache
def destinations() -> dict[str, Destination]:
    """All destinations by key, in the order of the settings."""
    found: list[Destination] = [import_string(name)() for name in settings.DESTINATIONS]
    return {destination.key: destination for destination in found}


def get(key: str) -> Destination:
    """Return the destination called `key`; raises ConfigurationError that names the known ones."""
    try:
        return destinations()[key]
    except KeyError as error:
        known = ", ".join(destinations()) or "none"
        raise ConfigurationError(f"There is no destination “{key}”. Known here: {known}.") from error


def choices() -> list[tuple[str, str]]:
    return [(destination.key, destination.label) for destination in destinations().values()]
