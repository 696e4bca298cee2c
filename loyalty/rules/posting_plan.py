"""What posting a list of entries does: decided here from what the database holds, written elsewhere.

Entries of one member follow each other in the order of the list; a refused one changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.rules.ledger_entries import (
    MAX_POINTS,
    RESERVED_PREFIX,
    EntryInput,
    expiry_errors,
    future_errors,
    sign_errors,
)
from loyalty.rules.lots import Lot, Purse, Use


@dataclass
class Account:
    """One member while a list is posted; `purse` holds at least the lots that the list can reach."""

    member_id: int
    external_id: str
    balance: int
    lifetime: int
    last_activity_at: datetime | None = None
    purse: Purse = field(default_factory=Purse)


@dataclass(frozen=True)
class Known:
    """An entry that was posted before under its key."""

    entry_id: int
    fingerprint: str
    balance: int


@dataclass(frozen=True)
class Posting:
    """An entry to be written. A positive one fills the lot `lot_id`, a negative one uses lots."""

    id: int
    member_id: int
    kind: str
    points: int
    balance: int
    reason: str
    order_ref: str
    key: str
    fingerprint: str
    occurred_at: datetime
    expires_at: datetime | None = None
    lot_id: int | None = None
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one entry of the list: posted now, posted before, or refused with errors."""

    known: Known | None = None
    is_repeated: bool = False
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ids:
    """Ids for the rows to come."""

    entries: Iterator[int]
    lots: Iterator[int]


def expire(account: Account, ids: Ids, *, now: datetime) -> list[Posting]:
    """Take what has expired out of the account: one entry for each lot, with a key of its own."""
    postings = []
    for lot in account.purse.take_expired(now):
        account.balance -= lot.remaining
        postings.append(
            Posting(
                id=next(ids.entries),
                member_id=account.member_id,
                kind="expire",
                points=-lot.remaining,
                balance=account.balance,
                reason="Points expired",
                order_ref="",
                key=f"{RESERVED_PREFIX}expire:{lot.id}",
                fingerprint="",
                occurred_at=lot.expires_at or now,
                uses=(Use(lot.id, lot.remaining),),
            )
        )
    return postings


def post(
    entries: Sequence[EntryInput],
    accounts: Mapping[str, Account],
    known: Mapping[str, Known],
    ids: Ids,
    *,
    now: datetime,
) -> tuple[list[Outcome], list[Posting]]:
    """An outcome for each entry, and the postings in the order in which they happen."""
    seen = dict(known)
    outcomes, postings = [], []
    for entry in entries:
        before = seen.get(entry.idempotency_key)
        account = accounts.get(entry.external_id)
        if before is not None:
            outcomes.append(_repeat(entry, before))
            continue
        errors = _errors(entry, account, now=now)
        if errors or account is None:
            outcomes.append(Outcome(errors=errors))
            continue
        posting = _post_one(entry, account, ids, now=now)
        postings.append(posting)
        seen[posting.key] = Known(posting.id, posting.fingerprint, posting.balance)
        outcomes.append(Outcome(seen[posting.key]))
    return outcomes, postings


def _repeat(entry: EntryInput, before: Known) -> Outcome:
    if before.fingerprint == entry.fingerprint():
        return Outcome(before, is_repeated=True)
    return Outcome(errors=("idempotency_key: was used before for another entry. Use a new key.",))


def _errors(entry: EntryInput, account: Account | None, *, now: datetime) -> tuple[str, ...]:
    told = (*sign_errors(entry), *expiry_errors(entry), *future_errors(entry, now=now))
    if account is None:
        return (*told, f"external_id: there is no member “{entry.external_id}”.")
    if account.balance + entry.points < 0:
        return (*told, f"points: the balance is {account.balance:,}, so {-entry.points:,} cannot be taken.")
    if max(account.balance, account.lifetime) + entry.points > MAX_POINTS:
        return (*told, f"points: a balance cannot grow beyond {MAX_POINTS:,}.")
    return told


def _post_one(entry: EntryInput, account: Account, ids: Ids, *, now: datetime) -> Posting:
    kind, occurred_at = entry.settled_kind, entry.occurred_at or now
    account.balance += entry.points
    uses: tuple[Use, ...] = ()
    lot_id = None
    if entry.points < 0:
        uses = account.purse.take(-entry.points)
    else:
        lot_id = next(ids.lots)
        account.purse.add(Lot(lot_id, entry.points, entry.expires_at))
    if kind == "earn":
        account.lifetime += entry.points
    if kind != "adjust":
        account.last_activity_at = max(account.last_activity_at or occurred_at, occurred_at)
    return Posting(
        id=next(ids.entries),
        member_id=account.member_id,
        kind=kind,
        points=entry.points,
        balance=account.balance,
        reason=entry.reason,
        order_ref=entry.order_ref,
        key=entry.idempotency_key,
        fingerprint=entry.fingerprint(),
        occurred_at=occurred_at,
        expires_at=entry.expires_at,
        lot_id=lot_id,
        uses=uses,
    )
