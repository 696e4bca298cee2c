"""Marks that a member's data may have changed, for whoever sends it on."""

from collections.abc import Collection, Sequence

from django.conf import settings

from loyalty.services import rowset
from portal.runtime import queue


def mark_dirty(tenant_id: int, member_ids: Collection[int]) -> None:
    """Append a mark for each member, and announce the tenant after commit.

    Above FULL_DUE_ABOVE members one mark stands for the whole tenant.
    """
    ids = sorted(set(member_ids))
    if len(ids) > settings.FULL_DUE_ABOVE:
        mark_all_dirty(tenant_id)
    elif ids:
        _append(tenant_id, ids)


def sharing(tenant_id: int, emails: Collection[str], phones: Collection[str]) -> set[int]:
    """Members who have one of these addresses. Who gets or gives one up changes what may be sent of the others."""
    if not emails and not phones:
        return set()
    # `> ''` is said so that the partial indexes serve.
    found = rowset.execute(
        """
        SELECT id FROM loyalty_member WHERE tenant_id = %s AND email > '' AND email = ANY(%s::text[])
        UNION
        SELECT id FROM loyalty_member WHERE tenant_id = %s AND phone > '' AND phone = ANY(%s::text[])
        """,
        [tenant_id, sorted(emails), tenant_id, sorted(phones)],
    )
    return {member_id for (member_id,) in found}


def mark_all_dirty(tenant_id: int) -> None:
    """One mark for the whole tenant: what changed is part of every member."""
    _append(tenant_id, [None])


def _append(tenant_id: int, ids: Sequence[int | None]) -> None:
    rowset.execute(
        "INSERT INTO loyalty_dirtymember (tenant_id, member_id) SELECT %s, unnest(%s::bigint[])",
        [tenant_id, ids],
    )
    queue.announce(tenant_id)
