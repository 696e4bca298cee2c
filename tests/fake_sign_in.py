"""Signing in to a destination that lives in memory: codes, grants and tokens of `tests.fakes.Remote`."""

import base64
import hashlib
import itertools
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from integrations.errors import AuthenticationError, DestinationError
from integrations.gateway.values import Tokens
from portal.tenancy.secrets import Secret

if TYPE_CHECKING:
    from tests.fakes import Remote


class FakeSignIn:
    """See integrations/gateway/port.py. Access tokens are good where `Remote.keys` holds them."""

    role_help = "You need to be the owner there."
    switch_help = "Metrics are new ones."
    scopes = (("people:read", "to see people"), ("people:write", "to write people"))

    def __init__(self, remote: "Remote") -> None:
        self.offered = True
        self.expires_in = 3600
        self.revoked: list[str] = []
        self.grants: set[str] = set()  # refresh tokens that are good
        self._remote = remote
        self._codes: dict[str, tuple[str, str]] = {}
        self._numbers = itertools.count(1)

    def is_offered(self) -> bool:
        return self.offered

    def allow_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        query = urlencode({"state": state, "challenge": challenge, "redirect_uri": redirect_uri})
        return f"https://fake.test/allow?{query}"

    def allow(self, url: str) -> dict[str, str]:
        """Somebody allows it on the Allow page: the `code` and `state` that come back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{next(self._numbers)}"
        self._codes[code] = (asked["challenge"], asked["redirect_uri"])
        return {"code": code, "state": asked["state"]}

    def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> Tokens:
        self._call("exchange")
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if self._codes.pop(code, None) != (challenge, redirect_uri):
            raise AuthenticationError("The code is not good any more: connect again.")
        refresh = f"refresh-{next(self._numbers)}"
        self.grants.add(refresh)
        return self._tokens(refresh)

    def refresh(self, token: Secret) -> Tokens:
        self._call("refresh")
        if token.reveal() not in self.grants:
            raise AuthenticationError("The grant is gone.")
        return self._tokens(token.reveal())

    def revoke(self, token: Secret) -> None:
        self._call("revoke")
        self.revoked.append(token.reveal())
        self.grants.discard(token.reveal())

    def _tokens(self, refresh: str) -> Tokens:
        access = f"access-{next(self._numbers)}"
        self._remote.keys = (self._remote.keys or set()) | {access}
        scopes = tuple(scope for scope, _ in self.scopes)
        return Tokens(Secret(access), Secret(refresh), self.expires_in, scopes)

    def _call(self, method: str) -> None:
        self._remote.calls.append((method, None))
        if isinstance(step := self._remote.next_step(method), DestinationError):
            raise step
