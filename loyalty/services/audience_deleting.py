"""Deleting an audience: the group goes, its members stay."""

from django.db import transaction

from loyalty.models import Audience, AudienceMember
from loyalty.services.marks import mark_dirty


@transaction.atomic
def delete(audience: Audience) -> int:
    """Delete an audience with its history; return how many members were in it.

    Those are marked, as what they belong to is part of what is known of them. Whoever mirrors the audience
    must have let go of it before: this asks nobody.
    """
    current = AudienceMember.objects.filter(audience=audience, left_at=None)
    ids = list(current.values_list("member_id", flat=True))
    tenant_id = audience.tenant_id
    audience.delete()
    mark_dirty(tenant_id, ids)
    return len(ids)
