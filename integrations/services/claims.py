"""Who works on what: leases on batches and lanes, taken by one conditional UPDATE each.

Zero rows means that somebody else has it. A worker that comes back late finds that it no longer owns the
batch and writes nothing (`owned`).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.models import BatchState, Delivery, Extension, Lane, SentMembership, SentProfile, SyncBatch
from integrations.models.runs import OPEN_BATCHES
from portal.runtime import owner
from portal.runtime.models import Worker


class Lost(Exception):
    """The lease went to somebody else: stop, and write nothing."""


def claim_batch(extension_id: int, lane: str) -> SyncBatch | None:
    """Take the first batch of the lane that is due and free. Attempts count sending only."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_syncbatch
            SET owner = %s, lease_until = now() + %s * interval '1 second',
                attempts = attempts + CASE WHEN state IN ('planned', 'sending') THEN 1 ELSE 0 END
            WHERE id = (
                SELECT id FROM integrations_syncbatch
                WHERE extension_id = %s AND lane = %s AND state IN ('planned', 'sending', 'accepted', 'settling')
                  AND (not_before IS NULL OR not_before <= now())
                  AND (lease_until IS NULL OR lease_until < now())
                ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING id
            """,
            [owner.current(), settings.LEASE_SECONDS, extension_id, lane],
        )
        found = cursor.fetchone()
    if not found:
        return None
    return SyncBatch.objects.select_related("run", "extension", "extension__tenant").get(pk=found[0])


def has_due_batch(extension_id: int, lane: str) -> bool:
    """Whether another batch of the lane could be claimed now."""
    now = timezone.now()
    ready = Q(not_before=None) | Q(not_before__lte=now)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return SyncBatch.objects.filter(
        ready, free, extension_id=extension_id, lane=lane, state__in=OPEN_BATCHES
    ).exists()


def owned(batch: SyncBatch) -> QuerySet[SyncBatch]:
    """The batch as a queryset that matches only while we own it."""
    return SyncBatch.objects.filter(pk=batch.pk, owner=owner.current(), state__in=OPEN_BATCHES)


def renew(batch: SyncBatch) -> None:
    """Lengthen the lease before the next HTTP call. Raises Lost."""
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    if not owned(batch).update(lease_until=until):
        raise Lost(f"batch {batch.pk}")


def release(
    batch: SyncBatch, *, seconds: float = 0.0, counts: bool = True, words: str = "", code: str = ""
) -> None:
    """Give the batch back, to be taken again in `seconds`; `counts` False takes the attempt back."""
    values: dict[str, Any] = {
        "owner": None,
        "lease_until": None,
        "not_before": timezone.now() + timedelta(seconds=seconds) if seconds else None,
        "words": words[:500],
        "code": code,
    }
    if not counts and batch.state in (BatchState.PLANNED, BatchState.SENDING):
        values["attempts"] = F("attempts") - 1
    owned(batch).update(**values)


def lock_members(extension_id: int, member_ids: Sequence[int]) -> None:
    """Lock what is known of these members, in the order in which everybody locks. In a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 1 FROM integrations_sentprofile
            WHERE extension_id = %s AND member_id = ANY(%s::bigint[]) ORDER BY member_id FOR NO KEY UPDATE
            """,
            [extension_id, list(member_ids)],
        )


def hand_over(batch: SyncBatch, other: SyncBatch) -> None:
    """The members and deliveries of `other` are carried by it from now on. Call inside a transaction."""
    lock_members(batch.extension_id, other.member_ids)
    SentProfile.objects.filter(
        extension_id=batch.extension_id, in_flight=batch.pk, member_id__in=other.member_ids
    ).update(in_flight=other.pk)
    SentMembership.objects.filter(
        mapping_id__in=batch.mapping_ids, in_flight=batch.pk, member_id__in=other.member_ids
    ).update(in_flight=other.pk)
    Delivery.objects.filter(batch=batch, pk__in=other.delivery_ids).update(batch=other)


def take_lane(extension: Extension | int, name: str) -> bool:
    """Become the only one who plans and routes in this lane for a while; also renews."""
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    free = Q(owner=None) | Q(owner=owner.current()) | Q(lease_until__lt=timezone.now())
    lanes = Lane.objects.filter(free, extension=extension, name=name)
    return bool(lanes.update(owner=owner.current(), lease_until=until))


def leave_lane(extension: Extension | int, name: str) -> None:
    Lane.objects.filter(extension=extension, name=name, owner=owner.current()).update(
        owner=None, lease_until=None
    )


def free_silent() -> set[str]:
    """Take the leases of owners that no longer beat; return the roles of those that fell silent now.

    An owner without a row is silent too: its row was deleted when it left. One that was only slow comes
    back with its next beat, and finds that what it worked on is somebody else's.
    """
    silent = list(Worker.objects.silent().values_list("pk", "role"))
    Worker.objects.silent().filter(pk__in=[pk for pk, _ in silent]).delete()
    alive = Worker.objects.alive().values("pk")
    batches = SyncBatch.objects.filter(state__in=OPEN_BATCHES, owner__isnull=False).exclude(owner__in=alive)
    batches.update(owner=None, lease_until=None)
    Lane.objects.filter(owner__isnull=False).exclude(owner__in=alive).update(owner=None, lease_until=None)
    return {role for _, role in silent}
