"""When to try again, decided from the kind of failure and the number of attempts (pure)."""

from dataclasses import dataclass

from integrations.errors import (
    AuthenticationError,
    ConfigurationError,
    DestinationError,
    PortalNotAccepted,
    RateLimited,
    ScopeMissing,
)

FIRST_DELAY = 3.0
LONGEST_DELAY = 600.0
OPERATOR_DELAY = 60.0
POLL_DELAYS = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0)


@dataclass(frozen=True)
class Retry:
    """What follows a failure.

    `after`: seconds until the next try, None to give up. `counts`: it was an attempt.
    `needs_person`: the whole connection pauses until somebody mends it.
    """

    after: float | None
    counts: bool = True
    needs_person: bool = False


def decide(error: DestinationError, attempts: int, limit: int, jitter: float) -> Retry:
    """Decide what follows `error` after `attempts` tries; `jitter` (0 to 1) spreads the delays."""
    if isinstance(error, RateLimited):
        return Retry(max(0.1, error.seconds) + jitter * 0.25, counts=False)
    if isinstance(error, PortalNotAccepted):
        return Retry(OPERATOR_DELAY * (1 + jitter / 4), counts=False)
    if isinstance(error, AuthenticationError | ScopeMissing | ConfigurationError):
        return Retry(0.0, counts=False, needs_person=True)
    if attempts >= limit:
        return Retry(None)
    return Retry(backoff(attempts, jitter))


def backoff(attempts: int, jitter: float) -> float:
    """Seconds after the attempt with that number: 3, 6, 12 … 600, each up to a quarter longer."""
    delay: float = min(LONGEST_DELAY, FIRST_DELAY * 2 ** max(0, attempts - 1))
    return delay * (1 + jitter / 4)


def poll_delay(polls: int) -> float:
    """Seconds until a job is looked at again: soon at first, then once a minute."""
    return POLL_DELAYS[min(polls, len(POLL_DELAYS) - 1)]
