"""API revisions: which one serves a call, and what came with which."""

from __future__ import annotations

import re
from collections.abc import Mapping

from integrations.klaviyo.sandbox.errors import ApiError, error_object, invalid

# Published quarterly; two years after its date a revision is retired ("API versioning and deprecation
# policy").
SUPPORTED = (
    "2025-01-15",
    "2025-04-15",
    "2025-07-15",
    "2025-10-15",
    "2026-01-15",
    "2026-04-15",
    "2026-07-15",
    "2026-10-15",
)
BACKFILL_SINCE = "2026-07-15"  # `backfill` on events is new in this revision (OpenAPI description)

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


def serving(headers: Mapping[str, str]) -> str:
    """The revision that serves this call: the newest one not after the wanted; retired ones fall forward."""
    wanted = headers.get("revision", "")
    if not wanted:
        raise invalid("The 'revision' header is required.", "/data/")
    if _FORM.fullmatch(wanted) is None:
        raise invalid(f"Invalid revision: {wanted}.", "/data/")
    older = [revision for revision in SUPPORTED if revision <= wanted[:10]]
    if older:
        return older[-1]
    if headers.get("x-klaviyo-revision-fall-forward-opt-out") == "1":
        detail = f"Revision {wanted} has been retired."
        raise ApiError(410, [error_object(410, "revision_retired", "Gone.", detail, pointer="/data/")])
    return SUPPORTED[0]


def retirement_date(revision: str) -> str:
    return f"{int(revision[:4]) + 2}{revision[4:]}"
