"""From one page to the next (pure)."""

from typing import Final
from urllib.parse import urlsplit

from integrations.errors import UnexpectedAnswer
from integrations.klaviyo import answers
from integrations.klaviyo.limits import Endpoint
from integrations.klaviyo.protocol import Answer, Call

# More pages than this is a server that never ends: ten million members of a list, ten thousand lists,
# ten full import jobs' errors.
CAPS: Final = {
    Endpoint.READ_LIST_PROFILES: 100_000,
    Endpoint.READ_LISTS: 1_000,
    Endpoint.READ_IMPORT_ERRORS: 1_000,
    Endpoint.READ_PROFILES: 10,
}


def next_page(call: Call, answer: Answer, base_url: str) -> Call | None:
    """The call for the page after this one, or None.

    Raises UnexpectedAnswer when the link leads to another origin (the key would travel to a stranger) or
    back to this very page.
    """
    links = answers.document(answer).get("links")
    address = links.get("next") if isinstance(links, dict) else None
    if not address:
        return None
    if not isinstance(address, str) or not _is_ours(address, base_url):
        raise UnexpectedAnswer(
            "Klaviyo's link to the next page leads to another address; it was not followed.",
            request_id=answer.request_id,
        )
    parts = urlsplit(address)
    path = parts.path.removeprefix(urlsplit(base_url).path.rstrip("/"))
    target = f"{path}?{parts.query}"
    if target == call.target:
        raise UnexpectedAnswer("Klaviyo's link to the next page leads back.", request_id=answer.request_id)
    return Call(call.endpoint, target, subject=call.subject)


def check_cap(call: Call, pages: int) -> None:
    """Raises UnexpectedAnswer when a collection has more pages than it can have."""
    if pages > CAPS[call.endpoint]:
        raise UnexpectedAnswer(f"Klaviyo's answer did not end after {pages - 1} pages.")


def _is_ours(address: str, base_url: str) -> bool:
    try:
        return _origin(address) == _origin(base_url)
    except ValueError:  # a port that is no number, a broken IPv6 host
        return False


def _origin(address: str) -> tuple[str, str, int]:
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port
