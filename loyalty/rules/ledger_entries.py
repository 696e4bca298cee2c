"""A points entry as told from outside: checked, with its kind and sign."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty.rules import inputs
from loyalty.rules.inputs import InputError

# Beyond 2^53 a JSON number is no longer exact in the hands of most readers.
MAX_POINTS = 2**53
SIGNS = {"earn": 1, "redeem": -1, "adjust": 0}
# Keys of entries that the portal posts itself, such as an expiry.
RESERVED_PREFIX = "portal:"
CLOCK_TOLERANCE = timedelta(minutes=5)
FIELDS = frozenset(
    {"external_id", "points", "reason", "idempotency_key", "kind", "occurred_at", "expires_at", "order"}
)


@dataclass(frozen=True)
class EntryInput:
    """One change of a balance. `kind` None: earn for positive points, redeem for negative ones."""

    external_id: str
    points: int
    reason: str
    idempotency_key: str
    kind: str | None = None
    occurred_at: datetime | None = None
    expires_at: datetime | None = None
    order_ref: str = ""

    @property
    def settled_kind(self) -> str:
        return self.kind or ("earn" if self.points > 0 else "redeem")

    def fingerprint(self) -> str:
        """Tells a repeat of the same entry from another entry under the same key."""
        moments = [None if at is None else at.isoformat() for at in (self.occurred_at, self.expires_at)]
        told = [self.external_id, self.points, self.reason, self.settled_kind, *moments, self.order_ref]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def parse(raw: object) -> tuple[EntryInput | None, tuple[str, ...]]:
    """The entry, or None with every sentence that refuses it."""
    if not isinstance(raw, Mapping):
        return None, ("must be an object with external_id, points, reason and idempotency_key.",)
    errors = inputs.unknown_keys(raw, FIELDS)
    values: dict[str, object] = {}
    for key, check in _CHECKS.items():
        try:
            values[key] = check(raw.get(key))
        except InputError as error:
            errors.append(f"{key}: {error}")
    if errors:
        return None, tuple(errors)
    values["order_ref"] = values.pop("order")
    entry = EntryInput(**values)  # type: ignore[arg-type]  # each value passed the check of its name
    errors = [*sign_errors(entry), *expiry_errors(entry)]
    return (None, tuple(errors)) if errors else (entry, ())


def sign_errors(entry: EntryInput) -> tuple[str, ...]:
    sign = SIGNS.get(entry.settled_kind)
    if sign is None:
        return (f"kind: must be one of {', '.join(SIGNS)}.",)
    if sign * entry.points < 0:
        return (f"points: must be {'positive' if sign > 0 else 'negative'} for kind {entry.settled_kind}.",)
    return ()


def expiry_errors(entry: EntryInput) -> tuple[str, ...]:
    if entry.expires_at is None:
        return ()
    if entry.points < 0:
        return ("expires_at: only points that come in can expire. Leave it out.",)
    if entry.occurred_at is not None and entry.expires_at <= entry.occurred_at:
        return ("expires_at: must be after occurred_at.",)
    return ()


def future_errors(entry: EntryInput, *, now: datetime) -> tuple[str, ...]:
    if entry.occurred_at is not None and entry.occurred_at > now + CLOCK_TOLERANCE:
        return ("occurred_at: lies in the future. Check the clock and the time zone of the sender.",)
    return ()


def _points(value: object) -> int:
    if value is None:
        raise InputError("is missing.")
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError("must be a whole number.")
    if value == 0:
        raise InputError("must not be 0.")
    if abs(value) > MAX_POINTS:
        raise InputError(f"must be between -{MAX_POINTS} and {MAX_POINTS}.")
    return value


def _required(value: object, limit: int, *, numbers: bool = False) -> str:
    given = inputs.text("" if value is None else value, limit=limit, numbers=numbers)
    if not given:
        raise InputError("is missing.")
    return given


def _key(value: object) -> str:
    given = _required(value, 255, numbers=True)
    if given.startswith(RESERVED_PREFIX):
        raise InputError(f"must not begin with {RESERVED_PREFIX}, which the portal uses itself.")
    return given


def _kind(value: object) -> str | None:
    if value is None or (isinstance(value, str) and value in SIGNS):
        return value
    raise InputError(f"must be one of {', '.join(SIGNS)}.")


_CHECKS: dict[str, Callable[[object], object]] = {
    "external_id": lambda value: _required(value, 255, numbers=True),
    "points": _points,
    "reason": lambda value: _required(value, 300),
    "idempotency_key": _key,
    "kind": _kind,
    "occurred_at": lambda value: None if value is None else inputs.moment(value),
    "expires_at": lambda value: None if value is None else inputs.moment(value),
    "order": lambda value: "" if value is None else inputs.text(value, limit=120, numbers=True),
}
