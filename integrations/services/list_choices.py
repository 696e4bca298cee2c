"""The lists that an account has, for people who choose one: read over all pages, kept for a minute."""

from dataclasses import dataclass

from django.core.cache import cache

from integrations.errors import DestinationError, ListGone
from integrations.gateway.values import RemoteList
from integrations.models import Extension
from integrations.services import connections
from portal.tenancy.models import Tenant

SECONDS = 60


@dataclass(frozen=True)
class Choices:
    """All lists by name; `problem` says why they could not be read."""

    lists: tuple[RemoteList, ...] = ()
    problem: str = ""

    def find(self, list_id: str) -> RemoteList | None:
        return next((found for found in self.lists if found.remote_id == list_id), None)

    def called(self, name: str) -> RemoteList | None:
        """The list of that name; capitals and spaces around it make no other name."""
        wanted = name.strip().casefold()
        return next((found for found in self.lists if found.name.strip().casefold() == wanted), None)


def connections_of(tenant: Tenant) -> list[Extension]:
    """The tenant's connections, active ones first; where one is active the others are left out."""
    found = list(
        Extension.objects.for_tenant(tenant).defer("secret", "refresh_token").order_by("-is_active", "name")
    )
    return [one for one in found if one.is_active] or found


def known(extension: Extension) -> Choices | None:
    """What was read in the last minute, without any call."""
    found: Choices | None = cache.get(_key(extension))
    return found


def read(extension: Extension, *, fresh: bool = False) -> Choices:
    """All lists of the account, read now unless they were read a moment ago; never raises."""
    if not fresh and (found := known(extension)) is not None:
        return found
    try:
        lists = connections.open_channel(extension).lists()
        choices = Choices(tuple(sorted(lists, key=lambda found: (found.name.casefold(), found.remote_id))))
    except DestinationError as error:
        return Choices(problem=error.words)
    cache.set(_key(extension), choices, SECONDS)
    return choices


def forget(extension: Extension) -> None:
    cache.delete(_key(extension))


def details(extension: Extension, list_id: str) -> RemoteList | None:
    """One list with its people and its way to opt in; None where that cannot be known now.

    Kept for a minute too, as destinations permit few such calls. Raises ListGone.
    """
    key = f"{_key(extension)}:{list_id}"
    if (found := cache.get(key)) is not None:
        return found  # type: ignore[no-any-return]  # only this function writes it
    try:
        found = connections.open_channel(extension).read_list(list_id)
    except ListGone:
        raise
    except DestinationError:
        return None
    cache.set(key, found, SECONDS)
    return found


def _key(extension: Extension) -> str:
    return f"list-choices:{extension.pk}:{extension.account_id}"
