"""Refusals that are about who we are and what we may do (pure): a key and a grant are mended differently."""

import re
from typing import Final

from integrations.errors import AuthenticationError, ScopeMissing, Temporary
from integrations.klaviyo.limits import RULES, SCOPES
from integrations.klaviyo.protocol import Answer, Call

OAUTH: Final = "oauth"

_SCOPE: Final = re.compile(r"\b[a-z]+(?:-[a-z]+)*:(?:read|write)\b")


def unauthorized(answer: Answer, why: str, method: str) -> AuthenticationError:
    words = (
        "Klaviyo no longer accepts this connection's access: connect again."
        if method == OAUTH
        else "Klaviyo no longer accepts this connection's key. Create a private key in Klaviyo under "
        "Settings → API keys and connect again."
    )
    return AuthenticationError(f"{words} (Klaviyo says: {why}.)", request_id=answer.request_id)


def forbidden(call: Call, answer: Answer, why: str, method: str) -> ScopeMissing:
    """A permission is missing: the one that Klaviyo names, else those that the call needs."""
    named = _SCOPE.search(why)
    scope = named[0] if named else " ".join(RULES[call.endpoint].scopes)
    purpose = f", which is needed {SCOPES[scope]}" if scope in SCOPES else ""
    words = (
        f"The connection lacks the permission {scope}{purpose}. Connect again and allow it."
        if method == OAUTH
        else f"The key lacks the permission {scope}{purpose}. Create a new private key that has it; the "
        "permissions of a key cannot be changed."
    )
    return ScopeMissing(f"{words} (Klaviyo says: {why}.)", scope=scope, request_id=answer.request_id)


def at_the_edge(answer: Answer) -> Temporary:
    """A page from the edge, such as a blocked shared address, is no verdict on the key."""
    return Temporary(
        "Klaviyo's network refused us before the API saw the request (403). We try again.",
        request_id=answer.request_id,
    )
