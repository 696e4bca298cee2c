"""Writing what a posting plan decided and all that follows from it, in a fixed number of statements."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from loyalty.models import LotUse, PointsEntry, PointsLot
from loyalty.rules.lots import Lot, Purse
from loyalty.rules.posting_plan import Account, Posting
from loyalty.services import audiences, rowset, tiers
from loyalty.services.marks import mark_dirty
from loyalty.services.outbox import Happening, append
from portal.tenancy.models import Tenant

_EVENT_KINDS = {"earn": "points_earned", "redeem": "points_redeemed", "adjust": "points_adjusted"}

# Of each member the lots whose time has come, and as many others as the points that may be taken reach.
_OPEN_LOTS = """
SELECT member_id, id, remaining, expires_at FROM (
    SELECT lot.member_id, lot.id, lot.remaining, lot.expires_at, told.need,
           coalesce(lot.expires_at <= %(now)s, false) AS is_due,
           sum(lot.remaining) OVER (
               PARTITION BY lot.member_id, coalesce(lot.expires_at <= %(now)s, false)
               ORDER BY lot.expires_at NULLS LAST, lot.id
           ) - lot.remaining AS before
    FROM unnest(%(members)s::bigint[], %(needs)s::bigint[]) AS told(member_id, need)
    JOIN loyalty_pointslot AS lot ON lot.member_id = told.member_id AND lot.remaining > 0
) AS reachable
WHERE is_due OR before < need
"""
# What a member loses next: all that expires on the day of the next expiry, in the tenant's calendar.
NEXT_EXPIRY = """
    SELECT min(lot.expires_at) AS at, sum(lot.remaining) AS points
    FROM loyalty_pointslot AS lot
    WHERE lot.member_id = told.member_id AND lot.remaining > 0 AND lot.expires_at < (
        SELECT (date_trunc('day', min(first.expires_at) AT TIME ZONE %(zone)s) + interval '1 day')
               AT TIME ZONE %(zone)s
        FROM loyalty_pointslot AS first WHERE first.member_id = told.member_id AND first.remaining > 0
    )
"""
_UPDATE_MEMBERS = f"""
UPDATE loyalty_member AS member
SET points_balance = told.balance, points_lifetime = told.lifetime, last_activity_at = told.active_at,
    points_expire_at = soon.at, points_expiring_next = coalesce(soon.points, 0), updated_at = %(now)s
FROM unnest(%(members)s::bigint[], %(balances)s::bigint[], %(lifetimes)s::bigint[], %(active)s::timestamptz[])
     AS told(member_id, balance, lifetime, active_at)
CROSS JOIN LATERAL ({NEXT_EXPIRY}) AS soon
WHERE member.id = told.member_id
"""


def fill_purses(accounts: Collection[Account], needs: Mapping[int, int], *, now: datetime) -> None:
    """Give each account the lots that `needs` points (by member) and the expiry up to now can reach."""
    params = {
        "now": now,
        "members": [account.member_id for account in accounts],
        "needs": [needs.get(account.member_id, 0) for account in accounts],
    }
    found: dict[int, list[Lot]] = {}
    for member_id, lot_id, remaining, expires_at in rowset.execute(_OPEN_LOTS, params):
        found.setdefault(member_id, []).append(Lot(lot_id, remaining, expires_at))
    for account in accounts:
        account.purse = Purse(found.get(account.member_id, ()))


def write(
    tenant: Tenant,
    postings: Sequence[Posting],
    accounts: Mapping[int, Account],
    *,
    now: datetime,
    created_by: str = "",
    history: bool = False,
    events: bool = True,
) -> None:
    """Write the postings of members whom the caller has locked: history, caches, events, effects, marks."""
    if not postings:
        return
    touched = sorted({posting.member_id for posting in postings})
    _write_entries(tenant, postings, now=now, created_by=created_by)
    _write_lots(postings)
    _write_members(tenant, [accounts[member_id] for member_id in touched], now=now)
    if events:
        append(
            tenant.pk,
            [
                _happening(posting, accounts[posting.member_id])
                for posting in postings
                if posting.kind in _EVENT_KINDS
            ],
            history=history,
        )
    earners = {posting.member_id for posting in postings if posting.kind == "earn"}
    tiers.evaluate(tenant, earners, events=events, history=history, now=now)
    audiences.follow(tenant, touched)
    mark_dirty(tenant.pk, touched)


def _write_entries(tenant: Tenant, postings: Sequence[Posting], *, now: datetime, created_by: str) -> None:
    names = (
        "id", "tenant", "member", "kind", "points", "balance_after", "reason", "order_ref", "idempotency_key",
        "fingerprint", "occurred_at", "expires_at", "created_by", "created_at",
    )  # fmt: skip
    rows = [
        (p.id, tenant.pk, p.member_id, p.kind, p.points, p.balance, p.reason, p.order_ref, p.key,
         p.fingerprint, p.occurred_at, p.expires_at, created_by, now)
        # In the order of the keys: two calls with the same keys cannot wait for each other in a circle.
        for p in sorted(postings, key=lambda posting: posting.key)
    ]  # fmt: skip
    rowset.insert(PointsEntry, names, rows)


def _write_lots(postings: Sequence[Posting]) -> None:
    used: dict[int, int] = {}
    for posting in postings:
        for use in posting.uses:
            used[use.lot_id] = used.get(use.lot_id, 0) + use.points
    filled = [(p.lot_id, p.member_id, p.id, p.points, p.points, p.expires_at) for p in postings if p.lot_id]
    rowset.insert(PointsLot, ("id", "member", "entry", "points", "remaining", "expires_at"), filled)
    rowset.insert(
        LotUse,
        ("entry", "lot", "points"),
        [(posting.id, use.lot_id, use.points) for posting in postings for use in posting.uses],
    )
    if used:
        rowset.execute(
            "UPDATE loyalty_pointslot AS lot SET remaining = lot.remaining - told.points"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS told(id, points) WHERE lot.id = told.id",
            [list(used), list(used.values())],
        )


def _write_members(tenant: Tenant, accounts: Sequence[Account], *, now: datetime) -> None:
    params = {
        "now": now,
        "zone": tenant.timezone,
        "members": [account.member_id for account in accounts],
        "balances": [account.balance for account in accounts],
        "lifetimes": [account.lifetime for account in accounts],
        "active": [account.last_activity_at for account in accounts],
    }
    rowset.execute(_UPDATE_MEMBERS, params)


def _happening(posting: Posting, account: Account) -> Happening:
    values: dict[str, object] = {
        "Points": posting.points if posting.kind == "adjust" else abs(posting.points),
        "Balance": posting.balance,
        "Reason": posting.reason,
        "Order Id": posting.order_ref,
        "Transaction Id": str(posting.id),
        "Member Id": account.external_id,
        "Occurred At": posting.occurred_at,
    }
    if posting.kind == "earn":
        values["Expires At"] = posting.expires_at
    source = f"points:{posting.id}"
    return Happening(posting.member_id, _EVENT_KINDS[posting.kind], values, posting.occurred_at, source)
