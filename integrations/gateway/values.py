"""What goes through the port, and what comes back: plain values in our words, for every destination the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from portal.tenancy.secrets import Secret

Json = Any


class BatchKind(StrEnum):
    """What one SyncBatch carries; each kind has its own body and its own meaning of success."""

    PROFILES = "profiles"  # many profiles in one job, polled to its end
    SINGLES = "singles"  # a few profiles, one call each
    EVENTS = "events"  # many events in one call
    SINGLE_EVENTS = "single_events"  # a few events, one call each, in order
    JOINS = "joins"  # remote ids that join one list
    LEAVES = "leaves"  # remote ids that leave one list


@dataclass(frozen=True)
class Limits:
    """What one call may carry."""

    profiles_per_job: int
    events_per_call: int
    ids_per_list_call: int
    ids_per_read: int
    body_bytes: int
    row_bytes: int


@dataclass(frozen=True)
class Credentials:
    """How to speak to one account. `secret` holds the key or the access token.

    `renew` takes the access token that was refused and gives another one, or raises what became of the
    grant. A channel asks it once for a call that was refused, and repeats that call.
    """

    method: str  # private_key or oauth
    secret: Secret
    base_url: str
    revision: str
    account_id: str = ""
    share: int = 80  # per cent of the permitted rate that is ours
    renew: Callable[[Secret], Secret] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Tokens:
    """What signing in by OAuth gives; `scopes` are those that were granted, `expires_in` is in seconds."""

    access: Secret
    refresh: Secret
    expires_in: int
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConnectionReport:
    """What a live check found."""

    account_id: str
    account_name: str
    missing_scopes: tuple[str, ...] = ()
    is_practice: bool = False


# The standard attributes of a document, in our words. Everything else is under "properties".
STANDARD_KEYS = (
    "external_id",
    "email",
    "phone",
    "first_name",
    "last_name",
    "locale",
    "address1",
    "address2",
    "city",
    "region",
    "zip",
    "country",
    "timezone",
)
IDENTIFIERS = ("external_id", "email", "phone")


@dataclass(frozen=True)
class ProfileWrite:
    """One profile to be made true.

    `values` are standard keys to set (never None), `properties` custom ones; `clear` names standard keys
    to be emptied and `unset` custom properties to be removed. Identifiers are always in `values`.
    `remote_id` is the destination's own id when known. A write with identifiers alone only makes sure
    that the profile exists (and joins lists).
    """

    values: Mapping[str, Json]
    properties: Mapping[str, Json] = field(default_factory=dict)
    clear: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    remote_id: str = ""


@dataclass(frozen=True)
class EventWrite:
    """One event. `uid` lets the destination drop a repeat; `profile` names whom it is about.

    `value` is money (an order), never points.
    """

    uid: str
    metric: str
    occurred_at: datetime
    properties: Mapping[str, Json]
    profile: ProfileWrite
    history: bool = False
    value: float | None = None
    currency: str = ""


@dataclass(frozen=True)
class WriteReceipt:
    """What a single profile write was answered."""

    remote_id: str
    created: bool
    ignored: tuple[str, ...] = ()  # standard keys that the destination did not take, such as a phone


@dataclass(frozen=True)
class JobState:
    """Where an asynchronous job stands. `cancelled` jobs are done with everything failed."""

    is_done: bool
    is_cancelled: bool = False
    total: int = 0
    failed: int = 0


@dataclass(frozen=True)
class RemoteProfile:
    """A profile as the destination has it, in our words (see STANDARD_KEYS)."""

    remote_id: str
    values: Mapping[str, Json]
    properties: Mapping[str, Json]
    may_receive_email: bool | None = None  # nothing forbids marketing e-mail; None: not asked for
    has_subscribed: bool | None = None  # they said yes to it themselves; None: not asked for


@dataclass(frozen=True)
class RemoteList:
    """A list; `people` and `opt_in` ("single", "double", "") are known only where one list was read."""

    remote_id: str
    name: str
    people: int | None = None
    opt_in: str = ""


@dataclass(frozen=True)
class ListPage:
    """A page of list members; `next_cursor` is empty on the last one and opaque otherwise."""

    profiles: tuple[RemoteProfile, ...]
    next_cursor: str = ""
