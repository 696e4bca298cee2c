"""Klaviyo's rate limits and scopes per endpoint (`x-klaviyo-ratelimit`, `x-klaviyo-scopes`).

Taken from the vendor's OpenAPI description of revision 2026-07-15; do not edit by hand.
"""

from typing import Final, NamedTuple


class Limit(NamedTuple):
    """Calls allowed per second, per minute and, for few endpoints, per day."""

    burst: int
    steady: int
    daily: int | None = None


LIMITS: Final[dict[str, Limit]] = {
    "GET /api/accounts": Limit(1, 15),
    "GET /api/accounts/{id}": Limit(1, 15),
    "GET /api/profiles": Limit(75, 750),
    "POST /api/profiles": Limit(75, 750),
    "GET /api/profiles/{id}": Limit(75, 750),
    "PATCH /api/profiles/{id}": Limit(75, 750),
    "GET /api/profiles/{id}/lists": Limit(3, 60),
    "GET /api/profiles/{id}/relationships/lists": Limit(3, 60),
    "POST /api/profile-import": Limit(75, 750),
    "POST /api/profile-merge": Limit(10, 150),
    "GET /api/profile-bulk-import-jobs": Limit(10, 150),
    "POST /api/profile-bulk-import-jobs": Limit(10, 150),
    "GET /api/profile-bulk-import-jobs/{job_id}": Limit(10, 150),
    "GET /api/profile-bulk-import-jobs/{id}/lists": Limit(10, 150),
    "GET /api/profile-bulk-import-jobs/{id}/relationships/lists": Limit(10, 150),
    "GET /api/profile-bulk-import-jobs/{id}/profiles": Limit(10, 150),
    "GET /api/profile-bulk-import-jobs/{id}/relationships/profiles": Limit(10, 150),
    "GET /api/profile-bulk-import-jobs/{id}/import-errors": Limit(10, 150),
    "GET /api/lists": Limit(75, 750),
    "POST /api/lists": Limit(10, 150, 150),
    "GET /api/lists/{id}": Limit(75, 750),
    "PATCH /api/lists/{id}": Limit(10, 150),
    "DELETE /api/lists/{id}": Limit(10, 150),
    "GET /api/lists/{id}/profiles": Limit(75, 750),
    "GET /api/lists/{id}/relationships/profiles": Limit(75, 750),
    "POST /api/lists/{id}/relationships/profiles": Limit(10, 150),
    "DELETE /api/lists/{id}/relationships/profiles": Limit(10, 150),
    "GET /api/lists/{id}/flow-triggers": Limit(3, 60),
    "GET /api/lists/{id}/relationships/flow-triggers": Limit(3, 60),
    "GET /api/metrics/{id}/flow-triggers": Limit(10, 150),
    "GET /api/metrics/{id}/relationships/flow-triggers": Limit(10, 150),
    "GET /api/metrics": Limit(10, 150),
    "GET /api/metrics/{id}": Limit(10, 150),
    "GET /api/events": Limit(350, 3500),
    "POST /api/events": Limit(350, 3500),
    "GET /api/events/{id}": Limit(10, 150),
    "POST /api/event-bulk-create-jobs": Limit(10, 150),
    "POST /api/profile-subscription-bulk-create-jobs": Limit(75, 750),
    "POST /api/profile-subscription-bulk-delete-jobs": Limit(75, 750),
    "GET /api/profile-suppression-bulk-create-jobs/{job_id}": Limit(75, 750),
    "POST /api/profile-suppression-bulk-create-jobs": Limit(75, 750),
    "GET /api/profile-suppression-bulk-delete-jobs/{job_id}": Limit(75, 750),
    "POST /api/profile-suppression-bulk-delete-jobs": Limit(75, 750),
    "POST /api/data-privacy-deletion-jobs": Limit(3, 60),
    "GET /api/flows": Limit(3, 60),
    "GET /api/flows/{id}": Limit(3, 60),
}

SCOPES: Final[dict[str, tuple[str, ...]]] = {
    "GET /api/accounts": ("accounts:read",),
    "GET /api/accounts/{id}": ("accounts:read",),
    "GET /api/profiles": ("profiles:read",),
    "POST /api/profiles": ("profiles:write",),
    "GET /api/profiles/{id}": ("profiles:read",),
    "PATCH /api/profiles/{id}": ("profiles:write",),
    "GET /api/profiles/{id}/lists": ("lists:read", "profiles:read"),
    "GET /api/profiles/{id}/relationships/lists": ("lists:read", "profiles:read"),
    "POST /api/profile-import": ("profiles:write",),
    "POST /api/profile-merge": ("profiles:write",),
    "GET /api/profile-bulk-import-jobs": ("lists:read", "profiles:read"),
    "POST /api/profile-bulk-import-jobs": ("lists:write", "profiles:write"),
    "GET /api/profile-bulk-import-jobs/{job_id}": ("lists:read", "profiles:read"),
    "GET /api/profile-bulk-import-jobs/{id}/lists": ("lists:read",),
    "GET /api/profile-bulk-import-jobs/{id}/relationships/lists": ("lists:read",),
    "GET /api/profile-bulk-import-jobs/{id}/profiles": ("profiles:read",),
    "GET /api/profile-bulk-import-jobs/{id}/relationships/profiles": ("profiles:read",),
    "GET /api/profile-bulk-import-jobs/{id}/import-errors": ("profiles:read",),
    "GET /api/lists": ("lists:read",),
    "POST /api/lists": ("lists:write",),
    "GET /api/lists/{id}": ("lists:read",),
    "PATCH /api/lists/{id}": ("lists:write",),
    "DELETE /api/lists/{id}": ("lists:write",),
    "GET /api/lists/{id}/profiles": ("lists:read", "profiles:read"),
    "GET /api/lists/{id}/relationships/profiles": ("lists:read", "profiles:read"),
    "POST /api/lists/{id}/relationships/profiles": ("lists:write", "profiles:write"),
    "DELETE /api/lists/{id}/relationships/profiles": ("lists:write", "profiles:write"),
    "GET /api/lists/{id}/flow-triggers": ("flows:read", "lists:read"),
    "GET /api/lists/{id}/relationships/flow-triggers": ("flows:read", "lists:read"),
    "GET /api/metrics/{id}/flow-triggers": ("flows:read", "metrics:read"),
    "GET /api/metrics/{id}/relationships/flow-triggers": ("flows:read", "metrics:read"),
    "GET /api/metrics": ("metrics:read",),
    "GET /api/metrics/{id}": ("metrics:read",),
    "GET /api/events": ("events:read",),
    "POST /api/events": ("events:write",),
    "GET /api/events/{id}": ("events:read",),
    "POST /api/event-bulk-create-jobs": ("events:write",),
    "POST /api/profile-subscription-bulk-create-jobs": (
        "lists:write",
        "profiles:write",
        "subscriptions:write",
    ),
    "POST /api/profile-subscription-bulk-delete-jobs": (
        "lists:write",
        "profiles:write",
        "subscriptions:write",
    ),
    "GET /api/profile-suppression-bulk-create-jobs/{job_id}": ("subscriptions:read",),
    "POST /api/profile-suppression-bulk-create-jobs": ("profiles:write", "subscriptions:write"),
    "GET /api/profile-suppression-bulk-delete-jobs/{job_id}": ("subscriptions:read",),
    "POST /api/profile-suppression-bulk-delete-jobs": ("subscriptions:write",),
    "POST /api/data-privacy-deletion-jobs": ("data-privacy:write",),
    "GET /api/flows": ("flows:read",),
    "GET /api/flows/{id}": ("flows:read",),
}

# Parameters that cost a second, lower limit beside the ordinary one (named in the endpoint descriptions).
LOWERED: Final[dict[str, Limit]] = {
    "additional-fields[profile]=predictive_analytics": Limit(10, 150),
    "additional-fields[list]=profile_count": Limit(1, 15),
    "include=lists": Limit(1, 15),
    "include=segments": Limit(1, 15),
}
