"""Reading whole collections by the port, for tests."""

from collections.abc import Iterator

from integrations.gateway.port import Channel
from integrations.gateway.values import RemoteProfile


def everyone_on(channel: Channel, list_id: str) -> Iterator[RemoteProfile]:
    """Everyone on a list, page by page."""
    cursor = ""
    while True:
        page = channel.list_page(list_id, cursor)
        yield from page.profiles
        cursor = page.next_cursor
        if not cursor:
            return
