"""What can go wrong between us and a destination, told apart by what it means for us (pure).

A destination translates every answer of its API into one of these; the engine decides by class alone
(planning/retries.py). `words` is for people: what happened and what to do next.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """One row that the destination refused, and why.

    `index` is the row's place in the body, when the destination told it; otherwise `identifiers`
    (external id, e-mail, phone: whatever came back) say who is meant.
    """

    code: str
    words: str
    index: int | None = None
    identifiers: tuple[str, ...] = ()
    permanent: bool = True


class DestinationError(Exception):
    """Base of everything a destination can raise."""

    code = "error"

    def __init__(self, words: str, *, code: str = "", request_id: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.code = code or type(self).code
        self.request_id = request_id


class ConfigurationError(DestinationError):
    """Ours or the merchant's set-up cannot work; repeating does not help."""

    code = "configuration"


class PortalNotAccepted(ConfigurationError):
    """The portal itself is not known there (its client id or secret): its operator must mend it.

    No tenant can, so nobody's connection is marked; the work waits and comes again.
    """

    code = "portal_not_accepted"


class AuthenticationError(DestinationError):
    """The credentials are no longer accepted: a person must reconnect."""

    code = "authentication"


class ScopeMissing(DestinationError):
    """The credentials work but lack a permission, named in `scope`."""

    code = "scope_missing"

    def __init__(self, words: str, *, scope: str = "", request_id: str = "") -> None:
        super().__init__(words, request_id=request_id)
        self.scope = scope


class RateLimited(DestinationError):
    """Wait `seconds` and come again. Not an attempt."""

    code = "rate_limited"

    def __init__(self, words: str, *, seconds: float) -> None:
        super().__init__(words)
        self.seconds = seconds


class Temporary(DestinationError):
    """Their side or the way there failed. The call may or may not have been carried out."""

    code = "temporary"


class RowsRejected(DestinationError):
    """The whole call was refused because of some rows.

    `refusals` names them where the destination did; empty means "some row, not said which".
    """

    code = "rejected"

    def __init__(
        self, words: str, refusals: Sequence[Refusal] = (), *, code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(words, code=code, request_id=request_id)
        self.refusals = tuple(refusals)


class TooLarge(DestinationError):
    """The body is over a limit of the destination: split it."""

    code = "too_large"


class ProfileGone(DestinationError):
    """The remote id names nobody any more (merged or deleted there): forget it and look again."""

    code = "profile_gone"


class ListGone(DestinationError):
    """The list does not exist any more; its mapping needs a person. `list_id` names it where known."""

    code = "list_gone"

    def __init__(self, words: str, *, list_id: str = "", request_id: str = "") -> None:
        super().__init__(words, request_id=request_id)
        self.list_id = list_id


class ListRefused(DestinationError):
    """The list is there but takes no change; its mapping needs a person."""

    code = "list_refused"


class IdentityConflict(DestinationError):
    """Two remote profiles answer to one member's identifiers.

    `other_id` is the remote profile that holds the clashing identifier.
    """

    code = "identity_conflict"

    def __init__(self, words: str, *, other_id: str = "", request_id: str = "") -> None:
        super().__init__(words, request_id=request_id)
        self.other_id = other_id


class UnexpectedAnswer(DestinationError):
    """An answer that we cannot read: kept and shown, treated as temporary."""

    code = "unexpected_answer"
