"""What an app asks for on the Allow page, checked as strictly as Klaviyo documents it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"
APP_NAME = "Loyalty portal"
ASKED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)

_PAIRS = (
    "campaigns catalogs conversations coupon-codes coupons custom-objects events flows forms images lists metrics "
    "profiles push-tokens reviews segments subscriptions tags templates tracking-settings web-feeds webhooks"
)
SCOPES = frozenset(
    {"accounts:read", "data-privacy:write"}
    | {f"{name}:{right}" for name in _PAIRS.split() for right in ("read", "write")}
)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class NotAnApp(Exception):
    """Nobody may be sent back: the app or its address is not known."""


class NotAllowed(Exception):
    """The app is told: the browser goes back with an error."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Asked:
    client: str
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    challenge: str

    def back(self, **answer: str) -> str:
        """Where the browser goes back to, with the answer."""
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{joint}{urlencode({**answer, 'state': self.state})}"


def read(values: Mapping[str, str]) -> tuple[Asked, NotAllowed | None]:
    """What is asked, and why it is refused at once. Raises NotAnApp."""
    asked = Asked(
        client=values.get("client_id", ""),
        redirect_uri=values.get("redirect_uri", ""),
        state=values.get("state", ""),
        scopes=tuple(dict.fromkeys(values.get("scope", "").split())),
        challenge=values.get("code_challenge", ""),
    )
    if asked.client != CLIENT_ID:
        raise NotAnApp(f"No app has the client id “{asked.client}”. The practice app's is {CLIENT_ID}.")
    if not _is_registered(asked.redirect_uri):
        raise NotAnApp(
            f"“{asked.redirect_uri}” is not a redirect address of this app. Here every address on this machine is "
            "registered, and no other."
        )
    return asked, _objection(asked, values)


def _objection(asked: Asked, values: Mapping[str, str]) -> NotAllowed | None:
    if values.get("response_type") != "code":
        return NotAllowed("unsupported_response_type", "response_type must be code.")
    if values.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(asked.challenge):
        return NotAllowed("invalid_request", "PKCE with the method S256 is mandatory.")
    if not asked.state:
        return NotAllowed("invalid_request", "state is missing.")
    unknown = [scope for scope in asked.scopes if scope not in SCOPES]
    if unknown:
        return NotAllowed("invalid_scope", f"Unknown scope: {' '.join(unknown)}.")
    if "accounts:read" not in asked.scopes:
        return NotAllowed("invalid_scope", "accounts:read is mandatory for every app.")
    return None


def _is_registered(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or parts.fragment or "@" in parts.netloc:
        return False
    if not address.isascii() or not address.isprintable() or " " in address:
        return False  # it goes into a header as it is
    return host == "localhost" or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
