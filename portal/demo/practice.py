"""What the practice Klaviyo of the demo has before the first run: some lists, and addresses that it will refuse."""

import json
import urllib.request
from collections.abc import Sequence

from integrations.models import Extension
from integrations.services import connections

LISTS = ("Newsletter", "VIP Customers", "Harbourside opening", "Cupping evenings")
REFUSED_EVERY = 36
REFUSED_FIRST = 7
WHY = "This e-mail address is on the do-not-send list of the account and cannot be imported."
# What the key of the bakery may do: somebody forgot the scope to write lists.
SCOPES_LEFT = (
    "accounts:read", "profiles:read", "profiles:write", "lists:read", "events:write", "data-privacy:write",
)  # fmt: skip
_SECONDS = 5


def add_lists(extension: Extension) -> None:
    """Lists that a merchant would have. Raises DestinationError where the practice Klaviyo does not answer."""
    channel = connections.open_channel(extension)
    there = {found.name for found in channel.lists()}
    for name in LISTS:
        if name not in there:
            channel.create_list(name)


def refused_among(addresses: Sequence[str]) -> list[str]:
    """A few addresses, spread over the members, so that failures have something to show."""
    return list(addresses[REFUSED_FIRST::REFUSED_EVERY])


def refuse(sandbox_url: str, account: str, emails: Sequence[str]) -> bool:
    """Let an account of the practice Klaviyo refuse these addresses; False where it does not answer."""
    return _control(sandbox_url, account, "refuse", {"emails": list(emails), "detail": WHY, "mode": "always"})


def permit(sandbox_url: str, account: str, scopes: Sequence[str]) -> bool:
    """What every key of an account may do from now on; False where the practice Klaviyo does not answer."""
    return _control(sandbox_url, account, "scopes", {"scopes": list(scopes)})


def _control(sandbox_url: str, account: str, what: str, told: dict[str, object]) -> bool:
    request = urllib.request.Request(
        f"{sandbox_url}/sandbox/api/accounts/{account}/{what}",
        data=json.dumps(told).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
