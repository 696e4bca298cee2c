"""The end of a list's mapping: who was added is being taken off, and when nobody is left the mapping goes.

Nothing here calls the destination: the planner finds who is to leave, and this looks whether all have left.
"""

import logging
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils import timezone

from integrations.models import AudienceMapping, SentMembership, SyncBatch, SyncRow, Verdict
from integrations.models.runs import OPEN_BATCHES
from integrations.models.sent import Origin

logger = logging.getLogger(__name__)


@transaction.atomic
def finish(extension_id: int) -> int:
    """Delete each mapping that is being unlinked and has nobody left, nor anybody on the way; how many."""
    ending = AudienceMapping.objects.filter(extension=extension_id, ending_at__isnull=False)
    left = SentMembership.objects.filter(mapping__in=ending, origin=Origin.ADDED).values("mapping")
    done = list(ending.exclude(pk__in=left).select_for_update(skip_locked=True, of=("self",)))
    for mapping in (done := [one for one in done if not _is_carried(one)]):
        logger.info("list mapping %s of connection %s is unlinked", mapping.pk, extension_id)
        delete(mapping)
    return len(done)


def _is_carried(mapping: AudienceMapping) -> bool:
    """Whether a batch that is still open may put somebody on the list."""
    return SyncBatch.objects.filter(
        extension=mapping.extension_id, state__in=OPEN_BATCHES, mapping_ids__contains=[mapping.pk]
    ).exists()


@transaction.atomic
def delete(mapping: AudienceMapping) -> None:
    """The mapping goes with all that is known of its list; what failed for it needs nobody any more."""
    SyncRow.objects.filter(
        mapping=mapping, verdict__in=[Verdict.REJECTED, Verdict.FAILED], healed_at=None
    ).update(healed_at=timezone.now())
    mapping.delete()


def late_joiners_are_due(batch: SyncBatch, member_ids: Sequence[int]) -> None:
    """An import put them on a list while it was being unlinked: somebody must look at them once more."""
    if not batch.mapping_ids or not member_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_sentprofile sp SET due_at = COALESCE(sp.due_at, now())
            WHERE sp.extension_id = %s AND sp.member_id = ANY(%s::bigint[]) AND EXISTS (
                SELECT 1 FROM integrations_audiencemapping WHERE id = ANY(%s::bigint[]) AND ending_at IS NOT NULL
            )
            """,
            [batch.extension_id, list(member_ids), batch.mapping_ids],
        )
