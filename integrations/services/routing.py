"""From marks to due members, from the outbox to deliveries; and back, when a batch is let go."""

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.models import Delivery, DeliveryState, Extension, SentMembership, SentProfile, SyncBatch
from integrations.planning import messages
from integrations.services import claims
from loyalty.models import OutboxEvent

MARKS_AT_ONCE = 20_000


def route(extension: Extension) -> None:
    """Turn all waiting marks and events of the connection's tenant into due members and deliveries."""
    while _route_marks(extension.tenant_id) == MARKS_AT_ONCE:
        pass
    while messages.route(extension.tenant_id) == messages.ROUTE_AT_ONCE:
        pass


@transaction.atomic
def _route_marks(tenant_id: int) -> int:
    """Delete marks and make their members due for every active connection, in one transaction.

    The members are read later, in another snapshot: a change whose mark we deleted is committed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM loyalty_dirtymember WHERE id IN (
                SELECT id FROM loyalty_dirtymember WHERE tenant_id = %s
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            ) RETURNING member_id
            """,
            [tenant_id, MARKS_AT_ONCE],
        )
        marked = [row[0] for row in cursor.fetchall()]
        if None in marked:
            Extension.objects.active().filter(tenant_id=tenant_id).update(full_due_at=timezone.now())
        ids = sorted({member_id for member_id in marked if member_id is not None})
        if ids:
            cursor.execute(
                """
                INSERT INTO integrations_sentprofile
                    (extension_id, member_id, remote_id, verdict, code, words, failures, due_at)
                SELECT e.id, m.id, '', '', '', '', 0, now()
                FROM integrations_extension e
                JOIN loyalty_member m ON m.tenant_id = e.tenant_id AND m.id = ANY(%s::bigint[])
                WHERE e.tenant_id = %s AND e.is_active
                ORDER BY e.id, m.id
                ON CONFLICT (extension_id, member_id)
                DO UPDATE SET due_at = EXCLUDED.due_at, not_before = NULL, failures = 0
                """,
                [ids, tenant_id],
            )
    return len(marked)


def waiting_events(extension: Extension) -> int:
    """How many events of the connection's tenant have not been told to it yet."""
    unrouted = OutboxEvent.objects.filter(tenant_id=extension.tenant_id, routed_at=None).count()
    return unrouted + Delivery.objects.open().filter(extension=extension).count()


def let_go(batches: QuerySet[SyncBatch]) -> int:
    """Give up planned batches without sending: deliveries are open again, members are nobody's.

    Members are not made due: who cancels a run does not want the live lane to send the same at once. They
    still differ, so the next run finds them, and a change of their data makes them due as ever.
    """
    found = list(batches.select_for_update().only("pk", "extension_id", "mapping_ids", "member_ids"))
    ids = [batch.pk for batch in found]
    for batch in found:
        claims.lock_members(batch.extension_id, batch.member_ids)
        SentProfile.objects.filter(
            extension_id=batch.extension_id, member_id__in=batch.member_ids, in_flight=batch.pk
        ).update(in_flight=None)
        memberships = SentMembership.objects.filter(
            mapping_id__in=batch.mapping_ids, member_id__in=batch.member_ids, in_flight=batch.pk
        )
        memberships.filter(is_leaving=False).delete()
        memberships.update(in_flight=None, is_leaving=False)
    Delivery.objects.filter(batch_id__in=ids, state=DeliveryState.SENDING).update(
        state=DeliveryState.OPEN, batch=None
    )
    return SyncBatch.objects.filter(pk__in=ids).update(
        state="dead",
        settled_at=timezone.now(),
        code="cancelled",
        words="Let go before it was sent.",
        body=None,
        manifest=None,
    )
