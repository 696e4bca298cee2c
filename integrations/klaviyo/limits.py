"""Klaviyo's limits for the calls we make (pure): rates, permissions and sizes.

Rates and permissions are `x-klaviyo-ratelimit` and `x-klaviyo-scopes` of the vendor's OpenAPI file,
revision 2026-07-15; tests/klaviyo/test_limits.py compares them with it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from integrations.gateway.buckets import Rate
from integrations.gateway.values import Limits

LIMITS: Final = Limits(
    profiles_per_job=10_000,
    events_per_call=1_000,
    ids_per_list_call=1_000,
    ids_per_read=100,
    body_bytes=4_900_000,  # Klaviyo permits 5 MB, without saying which megabyte
    row_bytes=100_000,
)
# An address longer than this may be cut or refused on the way: reads of many values are split.
QUERY_BYTES: Final = 6_000

# What a connection must be allowed to do, and what for (shown when a permission is missing).
SCOPES: Final[Mapping[str, str]] = {
    "accounts:read": "to know which Klaviyo account this is",
    "profiles:read": "to compare what Klaviyo has with what we have",
    "profiles:write": "to write members' profiles",
    "lists:read": "to find lists and see who is on them",
    "lists:write": "to create lists and put members on them",
    "events:write": "to send loyalty events that start flows",
    "data-privacy:write": "to erase a person in Klaviyo when they are erased here",
}

_TIERS: Final = {
    "XS": Rate(1, 15),
    "S": Rate(3, 60),
    "M": Rate(10, 150),
    "L": Rate(75, 750),
    "XL": Rate(350, 3500),
}


class Endpoint(StrEnum):
    """Every endpoint that we call: method and path template. Each is a bucket of its own at Klaviyo."""

    ACCOUNTS = "GET /api/accounts"
    IMPORT_PROFILE = "POST /api/profile-import"
    UPDATE_PROFILE = "PATCH /api/profiles/{id}"
    READ_PROFILES = "GET /api/profiles"
    START_IMPORT = "POST /api/profile-bulk-import-jobs"
    READ_IMPORT = "GET /api/profile-bulk-import-jobs/{job_id}"
    READ_IMPORT_ERRORS = "GET /api/profile-bulk-import-jobs/{id}/import-errors"
    SEND_EVENT = "POST /api/events"
    SEND_EVENTS = "POST /api/event-bulk-create-jobs"
    READ_LISTS = "GET /api/lists"
    READ_LIST = "GET /api/lists/{id}"
    CREATE_LIST = "POST /api/lists"
    UPDATE_LIST = "PATCH /api/lists/{id}"
    READ_LIST_PROFILES = "GET /api/lists/{id}/profiles"
    JOIN_LIST = "POST /api/lists/{id}/relationships/profiles"
    LEAVE_LIST = "DELETE /api/lists/{id}/relationships/profiles"
    ERASE = "POST /api/data-privacy-deletion-jobs"

    @property
    def method(self) -> str:
        return self.value.partition(" ")[0]

    @property
    def template(self) -> str:
        return self.value.partition(" ")[2]


@dataclass(frozen=True)
class Rule:
    """What Klaviyo permits an endpoint, and what it demands of the credentials."""

    rate: Rate
    scopes: tuple[str, ...]


def _rule(tier: str, *scopes: str) -> Rule:
    return Rule(_TIERS[tier], scopes)


# POST /api/lists has a daily limit of 150 as well: no bucket holds it, its 429 and Retry-After do.
RULES: Final[Mapping[Endpoint, Rule]] = {
    Endpoint.ACCOUNTS: _rule("XS", "accounts:read"),
    Endpoint.IMPORT_PROFILE: _rule("L", "profiles:write"),
    Endpoint.UPDATE_PROFILE: _rule("L", "profiles:write"),
    Endpoint.READ_PROFILES: _rule("L", "profiles:read"),
    Endpoint.START_IMPORT: _rule("M", "lists:write", "profiles:write"),
    Endpoint.READ_IMPORT: _rule("M", "lists:read", "profiles:read"),
    Endpoint.READ_IMPORT_ERRORS: _rule("M", "profiles:read"),
    Endpoint.SEND_EVENT: _rule("XL", "events:write"),
    Endpoint.SEND_EVENTS: _rule("M", "events:write"),
    Endpoint.READ_LISTS: _rule("L", "lists:read"),
    Endpoint.READ_LIST: _rule("XS", "lists:read"),  # with profile_count, as we read it; "L" without
    Endpoint.CREATE_LIST: _rule("M", "lists:write"),
    Endpoint.UPDATE_LIST: _rule("M", "lists:write"),
    Endpoint.READ_LIST_PROFILES: _rule("L", "lists:read", "profiles:read"),
    Endpoint.JOIN_LIST: _rule("M", "lists:write", "profiles:write"),
    Endpoint.LEAVE_LIST: _rule("M", "lists:write", "profiles:write"),
    Endpoint.ERASE: _rule("S", "data-privacy:write"),
}


def bucket_key(endpoint: Endpoint, *, method: str, account_id: str, secret: str) -> str:
    """Name the bucket of a call: account, kind of credentials, endpoint.

    All keys of an account share one pool and an OAuth app has its own. Before the account is known,
    a fingerprint of the secret stands for it.
    """
    account = account_id or hashlib.sha256(secret.encode()).hexdigest()[:16]
    return f"klaviyo:{account}:{method}:{endpoint.value}"
