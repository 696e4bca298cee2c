"""Marks that a member's data may have changed, for whoever sends it on."""

from collections.abc import Collection

from django.conf import settings

from loyalty.services import rowset
from portal.runtime import queue


def mark_dirty(tenant_id: int, member_ids: Collection[int]) -> None:
    """Append a mark for each member, and announce the tenant after commit.

    Above FULL_DUE_ABOVE members one mark stands for the whole tenant.
    """
    ids: list[int | None] = sorted(set(member_ids))  # type: ignore[assignment]
    if not ids:
        return
    if len(ids) > settings.FULL_DUE_ABOVE:
        ids = [None]
    rowset.execute(
        "INSERT INTO loyalty_dirtymember (tenant_id, member_id) SELECT %s, unnest(%s::bigint[])",
        [tenant_id, ids],
    )
    queue.announce(tenant_id)
