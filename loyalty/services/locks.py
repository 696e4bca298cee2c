"""Members are locked in the order of their ids, always and by everyone: so that nobody waits in a circle."""

from collections.abc import Collection

from loyalty.services import rowset
from portal.tenancy.models import Tenant


def lock(member_ids: Collection[int], *, tenant: Tenant) -> list[int]:
    """Lock these members of the tenant until the transaction ends; return the ids of those that are there."""
    statement = """
        SELECT id FROM loyalty_member WHERE id = ANY(%s::bigint[]) AND tenant_id = %s ORDER BY id FOR NO KEY UPDATE
    """
    return [member_id for (member_id,) in rowset.execute(statement, [list(member_ids), tenant.pk])]
