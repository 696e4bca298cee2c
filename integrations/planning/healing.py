"""What was refused, given up or held before and is as it should be now: nobody need mend it any more."""

from collections.abc import Sequence

from django.db import connection


def heal(extension_id: int, member_ids: Sequence[int], by_run_id: int) -> None:
    """Mark the members' rows as mended by a run, and open the events that could not be told while they were held."""
    if not member_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_syncrow old SET healed_at = now(), healed_by_id = %s
            FROM integrations_syncrun run
            WHERE old.run_id = run.id AND run.extension_id = %s AND old.member_id = ANY(%s::bigint[])
              AND old.verdict IN ('rejected', 'failed', 'held') AND old.healed_at IS NULL
              AND old.delivery_id IS NULL AND old.mapping_id IS NULL
            """,
            [by_run_id, extension_id, list(member_ids)],
        )
        cursor.execute(
            """
            UPDATE integrations_delivery SET state = 'open', batch_id = NULL, code = '', words = ''
            WHERE extension_id = %s AND member_id = ANY(%s::bigint[]) AND state = 'held'
              AND code IN ('no_identifier', 'shared_email', 'shared_phone', 'not_opted_in')
            """,
            [extension_id, list(member_ids)],
        )
