"""Idempotency keys: a call told twice has its effect once and is answered the same.

A claim is a row, committed before the work starts, so that a second call sees that the first is
running. The reply is stored by `complete` in the transaction of the work itself: effect and reply
are both there or neither is. A process that dies leaves a claim without a reply and no effect; after
CLAIM_HOLDS another call takes it over, and should the first still be alive, its `complete` finds the
claim gone and its transaction is rolled back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models
from django.utils import timezone

from portal.tenancy.models import IdempotentReply

KEPT_FOR = timedelta(hours=24)
CLAIM_HOLDS = timedelta(seconds=60)
PURGED_AT_ONCE = 10_000
_TABLE = IdempotentReply._meta.db_table


class KeyUsedOtherwise(Exception):
    """The key belongs to a call with another body."""


class StillRunning(Exception):
    """The first call with this key has not been answered yet."""


class ClaimLost(Exception):
    """Somebody else took the claim over: what was done under it must be rolled back."""


@dataclass(frozen=True)
class Claim:
    """The right to do the work of a key; `claimed_at` tells it from a later claim of the same row."""

    reply_id: int
    claimed_at: datetime


@dataclass(frozen=True)
class StoredReply:
    status: int
    body: str


def claim(tenant_id: int, *, key: str, path: str, fingerprint: str) -> Claim | StoredReply:
    """Take the key for this call, or find what its first call was answered.

    Raises KeyUsedOtherwise or StillRunning. Call it outside a transaction.
    """
    now = timezone.now()
    path = path[:200]
    reply_id = _take(tenant_id, key, path, fingerprint, now)
    if reply_id is not None:
        return Claim(reply_id, now)
    found = IdempotentReply.objects.filter(tenant_id=tenant_id, path=path, key=key).first()
    if found is None:  # released between the two looks: the caller may come again at once
        raise StillRunning
    if found.fingerprint != fingerprint:
        raise KeyUsedOtherwise
    if found.status is None:
        raise StillRunning
    return StoredReply(found.status, found.body)


def complete(claim: Claim, *, status: int, body: str) -> None:
    """Store the reply. Call it at the end of the transaction that did the work."""
    kept = _mine(claim).update(status=status, body=body)
    if kept != 1:
        raise ClaimLost


def release(claim: Claim) -> None:
    """Give the key back: nothing was done under it, so a next call may use it afresh."""
    _mine(claim).delete()


def purge(now: datetime | None = None) -> int:
    """Forget replies older than KEPT_FOR, in chunks; how many went."""
    before = (now or timezone.now()) - KEPT_FOR
    gone = 0
    while True:
        old = IdempotentReply.objects.filter(created_at__lt=before).order_by("created_at")[:PURGED_AT_ONCE]
        count, _ = IdempotentReply.objects.filter(pk__in=old.values("pk")).delete()
        gone += count
        if count < PURGED_AT_ONCE:
            return gone


def _mine(claim: Claim) -> "models.QuerySet[IdempotentReply]":
    return IdempotentReply.objects.filter(pk=claim.reply_id, created_at=claim.claimed_at, status=None)


def _take(tenant_id: int, key: str, path: str, fingerprint: str, now: datetime) -> int | None:
    """One statement, so that of two calls one takes it: a new row, one that died, or one out of date."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {_TABLE} AS r (tenant_id, key, path, fingerprint, status, body, created_at)
            VALUES (%(tenant)s, %(key)s, %(path)s, %(fingerprint)s, NULL, '', %(now)s)
            ON CONFLICT (tenant_id, path, key) DO UPDATE
               SET fingerprint = EXCLUDED.fingerprint, created_at = EXCLUDED.created_at,
                   status = NULL, body = ''
             WHERE r.created_at < %(out_of_date)s
                OR (r.status IS NULL AND r.created_at < %(dead)s AND r.fingerprint = EXCLUDED.fingerprint)
            RETURNING id
            """,
            {
                "tenant": tenant_id,
                "key": key,
                "path": path,
                "fingerprint": fingerprint,
                "now": now,
                "out_of_date": now - KEPT_FOR,
                "dead": now - CLAIM_HOLDS,
            },
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])
