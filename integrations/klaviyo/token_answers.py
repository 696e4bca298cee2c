"""What the answers of Klaviyo's token and revoke endpoints mean (pure): plain OAuth JSON, not JSON:API."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from integrations.errors import (
    AuthenticationError,
    DestinationError,
    PortalNotAccepted,
    RateLimited,
    Temporary,
    UnexpectedAnswer,
)
from integrations.gateway.values import Tokens
from integrations.klaviyo import failures
from portal.tenancy.secrets import Secret

USUAL_SECONDS: Final = 3600  # an access token's life, where the answer does not say
_LONGEST_REASON: Final = 200
_LIKE_A_SECRET: Final = re.compile(r"\S{20,}")  # a description may repeat the code or token that it is about
_OURS: Final = ("invalid_client", "unauthorized_client")


class Step(StrEnum):
    """What was asked for: the same refusal means something else in each."""

    EXCHANGE = "exchange"
    REFRESH = "refresh"
    REVOKE = "revoke"


@dataclass(frozen=True)
class TokenAnswer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Mapping[str, Any] | None:
        """The body's JSON object; None for a page of HTML or anything else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


def failure(step: Step, answer: TokenAnswer, now: datetime) -> DestinationError | None:
    """The error that an answer stands for; None when the call succeeded."""
    value = answer.value
    if answer.status == 429:
        waits = failures.retry_after(answer.headers.get("retry-after", ""), now)
        seconds = failures.DEFAULT_WAIT if waits is None else max(1.0, waits)
        return RateLimited("Klaviyo asks us to slow down with signing in.", seconds=seconds)
    if answer.status >= 500 or answer.status in (408, 425) or _is_page(answer):
        return Temporary(f"Klaviyo's sign-in does not answer just now (status {answer.status}).")
    if value is not None and "error" in value:
        return _refused(step, str(value["error"]), str(value.get("error_description") or ""))
    if answer.status == 401:
        return _not_accepted("")
    if 200 <= answer.status < 300 and step is Step.REVOKE:
        return None
    if 200 <= answer.status < 300 and value is not None and _is_number(value.get("expires_in")):
        return None
    return UnexpectedAnswer(
        f"Klaviyo's sign-in answered in a way that we cannot read (status {answer.status})."
    )


def tokens(value: Mapping[str, Any]) -> Tokens:
    """The tokens of a good answer. Raises UnexpectedAnswer where one is missing."""
    access, refresh = value.get("access_token"), value.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise UnexpectedAnswer("Klaviyo's sign-in gave us no access token.")
    if not isinstance(refresh, str) or not refresh:
        raise UnexpectedAnswer("Klaviyo's sign-in gave us no refresh token.")
    scopes = tuple(str(value.get("scope") or "").split())
    return Tokens(Secret(access), Secret(refresh), int(value.get("expires_in") or USUAL_SECONDS), scopes)


def _is_number(given: object) -> bool:
    return given is None or str(given).isdecimal()


def _refused(step: Step, code: str, description: str) -> DestinationError | None:
    if code in _OURS:
        return _not_accepted(code)
    if step is Step.REVOKE:  # a token that is gone already is what was wanted
        return None
    told = _LIKE_A_SECRET.sub("…", description or code)
    why = f" (Klaviyo says: {told[:_LONGEST_REASON].rstrip('.')}.)"
    if step is Step.EXCHANGE:
        return AuthenticationError(
            "Klaviyo did not complete the sign-in: it took longer than 5 minutes, or was used before. "
            f"Connect again.{why}"
        )
    if code == "invalid_grant":
        return AuthenticationError(f"Klaviyo no longer accepts this connection: connect again.{why}")
    return UnexpectedAnswer(f"Klaviyo did not renew our access.{why}")


def _not_accepted(code: str) -> PortalNotAccepted:
    why = f" ({code})" if code else ""
    return PortalNotAccepted(
        f"Klaviyo does not accept this portal's own sign-in{why}. Nothing is wrong with your connection: the "
        "portal's operator must correct KLAVIYO_CLIENT_ID and KLAVIYO_CLIENT_SECRET."
    )


def _is_page(answer: TokenAnswer) -> bool:
    """HTML of a proxy or of the edge: no verdict on anything of ours."""
    return answer.body.lstrip()[:1] == b"<"
