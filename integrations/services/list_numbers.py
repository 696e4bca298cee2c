"""How many people are on a list, may receive e-mail, or have yet to confirm: counted there, on demand."""

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from integrations.errors import ConfigurationError
from integrations.gateway.port import Channel
from integrations.gateway.values import RemoteProfile
from integrations.models import AudienceMapping
from integrations.services import connections

PAGES = 20  # so many pages are read while somebody waits; what is beyond them is not guessed


def count(mapping: AudienceMapping) -> None:
    """Read the list and keep what was counted at the mapping. Raises DestinationError.

    `looked_at` is how many people were read; where it is less than `on_list`, the other two numbers are
    about those only.
    """
    if not mapping.list_id:
        raise ConfigurationError("There is no list yet: it is made by the next run.")
    channel = connections.open_channel(mapping.extension)
    about = channel.read_list(mapping.list_id)
    people = list(_people(channel, mapping.list_id))
    may = [one for one in people if one.may_receive_email]
    awaiting = sum(not one.has_subscribed for one in may) if about.opt_in == "double" else 0
    counted = {
        "on_list": len(people) if about.people is None else about.people,
        "may_receive": len(may) - awaiting,
        "awaiting": awaiting if about.opt_in else None,
        "looked_at": len(people),
    }
    _keep(mapping, counted)


@transaction.atomic
def _keep(mapping: AudienceMapping, counted: dict[str, int | None]) -> None:
    """Counting takes a while: somebody may have begun to unlink the list meanwhile, which is kept there too."""
    row = AudienceMapping.objects.select_for_update(no_key=True).filter(pk=mapping.pk).only("numbers").first()
    mapping.numbers = {**((row.numbers if row else None) or {}), **counted}
    mapping.numbers_at = timezone.now()
    AudienceMapping.objects.filter(pk=mapping.pk).update(
        numbers=mapping.numbers, numbers_at=mapping.numbers_at
    )


def _people(channel: Channel, list_id: str) -> Iterator[RemoteProfile]:
    cursor = ""
    for _ in range(PAGES):
        page = channel.list_page(list_id, cursor, with_consent=True)
        yield from page.profiles
        cursor = page.next_cursor
        if not cursor:
            return
