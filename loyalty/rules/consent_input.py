"""Consent as told from outside: a status for each channel, or an act with its source and time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loyalty.rules import inputs
from loyalty.rules.inputs import InputError

CHANNELS = ("email", "sms")
CONSENT_STATUSES = ("granted", "revoked")


@dataclass(frozen=True)
class ConsentInput:
    """What a person allowed on one channel. `given_at` None: the moment it is recorded."""

    channel: str
    status: str
    source: str = ""
    text_version: str = ""
    given_at: datetime | None = None


def consents(value: object) -> tuple[ConsentInput, ...]:
    """What the `consent` of a member tells, in the short form or in full."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise InputError('must be an object such as {"email": "granted"}.')
    return tuple(_consent(str(channel), told) for channel, told in value.items() if told is not None)


def _consent(channel: str, told: object) -> ConsentInput:
    if channel not in CHANNELS:
        raise InputError(f"“{channel}” is not a channel. Use {' or '.join(CHANNELS)}.")
    if isinstance(told, str):
        told = {"status": told}
    if not isinstance(told, Mapping):
        raise InputError(f"{channel}: must be a status or an object with one.")
    unknown = set(told) - {"status", "source", "text_version", "given_at"}
    if unknown:
        raise InputError(f"{channel}: “{min(map(str, unknown))}” is not a field. Check its spelling.")
    if told.get("status") not in CONSENT_STATUSES:
        raise InputError(f"{channel}: status must be granted or revoked.")
    given_at = told.get("given_at")
    return ConsentInput(
        channel,
        told["status"],
        source=inputs.text(told.get("source") or "", limit=100),
        text_version=inputs.text(told.get("text_version") or "", limit=60),
        given_at=None if given_at is None else inputs.moment(given_at),
    )
