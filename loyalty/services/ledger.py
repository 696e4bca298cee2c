"""The points ledger: entries are added, never changed, and every balance can be proven from them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from math import inf
from time import monotonic

from django.db import IntegrityError, transaction
from django.utils import timezone

from loyalty.models import Member, PointsEntry, PointsLot
from loyalty.rules import posting_plan
from loyalty.rules.ledger_entries import EntryInput
from loyalty.rules.posting_plan import Account, Ids, Known, Outcome
from loyalty.services import posting, rowset
from loyalty.services.results import EntryResult
from portal.tenancy.models import Tenant

EXPIRE_CHUNK = 1_000

_LOCK = """
SELECT id, external_id, points_balance, points_lifetime, last_activity_at FROM loyalty_member
WHERE tenant_id = %s AND external_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_BY_ID = _LOCK.replace("external_id = ANY", "id = ANY")


def post(
    tenant: Tenant,
    entries: Sequence[EntryInput],
    *,
    created_by: str = "",
    history: bool = False,
    events: bool = True,
) -> list[EntryResult]:
    """Post a list of entries in one transaction; one result for each, in their order.

    A key is posted once: the same entry again is `repeated` with the balance of then, another entry
    under the same key is refused. What has expired leaves a balance before anything is taken from it.
    About 15 statements for any number of entries, in lists of up to some thousands.
    """
    try:
        return _post(tenant, entries, created_by=created_by, history=history, events=events)
    except IntegrityError:
        # Somebody posted one of the keys for another member between our look and our write.
        return _post(tenant, entries, created_by=created_by, history=history, events=events)


@transaction.atomic
def _post(
    tenant: Tenant, entries: Sequence[EntryInput], *, created_by: str, history: bool, events: bool
) -> list[EntryResult]:
    now = timezone.now()
    accounts = _lock(_LOCK, tenant, sorted({entry.external_id for entry in entries}))
    by_external_id = {account.external_id: account for account in accounts.values()}
    needs: dict[int, int] = {}
    for entry in entries:
        if entry.points < 0 and (account := by_external_id.get(entry.external_id)):
            needs[account.member_id] = needs.get(account.member_id, 0) - entry.points
    posting.fill_purses(accounts.values(), needs, now=now)
    ids = _ids(accounts.values(), extra=len(entries))
    expired = [done for account in accounts.values() for done in posting_plan.expire(account, ids, now=now)]
    outcomes, postings = posting_plan.post(
        entries, by_external_id, _known(tenant, [entry.idempotency_key for entry in entries]), ids, now=now
    )
    posting.write(
        tenant,
        [*expired, *postings],
        accounts,
        now=now,
        created_by=created_by,
        history=history,
        events=events,
    )
    return [_result(place, *pair) for place, pair in enumerate(zip(entries, outcomes, strict=True))]


def adjust(member: Member, points: int, reason: str, *, by: str, idempotency_key: str) -> EntryResult:
    """Correct one balance by hand. `by` names the person; the key lets a double click count once."""
    entry = EntryInput(member.external_id, points, reason, idempotency_key, kind="adjust")
    return post(member.tenant, [entry], created_by=by)[0]


def expire_due(tenant: Tenant, now: datetime, *, seconds: float = inf) -> int:
    """Take expired points out of balances, some members a transaction; return the number of lots closed.

    Ends after about so many `seconds`; the next call goes on.
    """
    began, closed = monotonic(), 0
    while monotonic() - began <= seconds:
        due = PointsLot.objects.filter(member__tenant=tenant, remaining__gt=0, expires_at__lte=now)
        members = sorted(set(due.order_by("expires_at").values_list("member_id", flat=True)[:EXPIRE_CHUNK]))
        if not members:
            break
        closed += _expire(tenant, members, now=now)
    return closed


@transaction.atomic
def _expire(tenant: Tenant, member_ids: list[int], *, now: datetime) -> int:
    accounts = _lock(_LOCK_BY_ID, tenant, member_ids)
    posting.fill_purses(accounts.values(), {}, now=now)
    ids = _ids(accounts.values(), extra=0)
    expired = [done for account in accounts.values() for done in posting_plan.expire(account, ids, now=now)]
    posting.write(tenant, expired, accounts, now=now)
    return len(expired)


def _lock(statement: str, tenant: Tenant, names: list[str] | list[int]) -> dict[int, Account]:
    return {row[0]: Account(*row) for row in rowset.execute(statement, [tenant.pk, names])}


def _ids(accounts: Collection[Account], *, extra: int) -> Ids:
    count = extra + sum(len(account.purse.lots) for account in accounts)
    return Ids(iter(rowset.next_ids(PointsEntry, count)), iter(rowset.next_ids(PointsLot, extra)))


def _known(tenant: Tenant, keys: list[str]) -> dict[str, Known]:
    found = rowset.execute(
        "SELECT idempotency_key, id, fingerprint, balance_after FROM loyalty_pointsentry"
        " WHERE tenant_id = %s AND idempotency_key = ANY(%s)",
        [tenant.pk, keys],
    )
    return {key: Known(*row) for key, *row in found}


def _result(index: int, entry: EntryInput, outcome: Outcome) -> EntryResult:
    status = "repeated" if outcome.is_repeated else "created" if outcome.known else "refused"
    return EntryResult(
        index,
        entry.external_id,
        entry.idempotency_key,
        status,  # type: ignore[arg-type]
        outcome.known.entry_id if outcome.known else None,
        outcome.known.balance if outcome.known else None,
        outcome.errors,
    )
