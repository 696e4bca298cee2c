"""Where people look at a profile or a list on the other side; "" where nobody knows."""

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.gateway.port import Destination
from integrations.models import Extension


def profile(extension: Extension, remote_id: str) -> str:
    destination = _known(extension) if remote_id else None
    return destination.profile_url(_base(extension, destination), remote_id) if destination else ""


def remote_list(extension: Extension, list_id: str) -> str:
    destination = _known(extension) if list_id else None
    return destination.list_url(_base(extension, destination), list_id) if destination else ""


def _known(extension: Extension) -> Destination | None:
    try:
        return registry.get(extension.destination)
    except ConfigurationError:
        return None


def _base(extension: Extension, destination: Destination) -> str:
    return extension.base_url or destination.default_base_url()
