"""Tiers: who stands on which step, with a history row for every move."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from time import monotonic

from django.db import transaction
from django.utils import timezone

from loyalty.models import Member, Tier, TierChange
from loyalty.rules.tiers import Step, definition_errors, is_rise
from loyalty.services import audiences, rowset
from loyalty.services.locks import lock
from loyalty.services.marks import mark_all_dirty, mark_dirty
from loyalty.services.outbox import Happening, append
from portal.tenancy.models import Tenant

CHUNK = 5_000
# Thresholds are unique, so those that change places step aside first.
_ASIDE = 2**60

_MOVES = """
SELECT member.id, member.external_id, member.tier_id, best.id, member.points_balance, member.points_lifetime
FROM loyalty_member AS member
LEFT JOIN LATERAL (
    SELECT id FROM loyalty_tier AS tier
    WHERE tier.tenant_id = member.tenant_id AND tier.threshold <= member.points_lifetime
    ORDER BY tier.threshold DESC LIMIT 1
) AS best ON true
WHERE member.tenant_id = %s AND member.tier_id IS DISTINCT FROM best.id
"""


@dataclass(frozen=True)
class _Move:
    member_id: int
    external_id: str
    before_id: int | None
    after_id: int | None
    balance: int
    lifetime: int


def evaluate(
    tenant: Tenant,
    member_ids: Collection[int],
    *,
    reason: str = "Points earned",
    events: bool = True,
    history: bool = False,
    now: datetime | None = None,
) -> set[int]:
    """Put these members, whom the caller has locked, on the step their points reach; return who moved.

    The audience effect and the dirty marks of those who moved are the caller's.
    """
    steps = {tier.pk: tier for tier in Tier.objects.filter(tenant=tenant)}
    if not steps or not member_ids:
        return set()
    now = now or timezone.now()
    found = rowset.execute(
        _MOVES + "AND member.id = ANY(%s::bigint[]) ORDER BY member.id", [tenant.pk, list(member_ids)]
    )
    moves = [_Move(*row) for row in found]
    rowset.update(
        Member,
        ("id", "tier", "tier_since", "updated_at"),
        [(m.member_id, m.after_id, now, now) for m in moves],
    )
    change_ids = rowset.next_ids(TierChange, len(moves))
    rowset.insert(
        TierChange,
        ("id", "member", "before", "after", "reason", "changed_at"),
        [
            (change_id, m.member_id, m.before_id, m.after_id, reason, now)
            for change_id, m in zip(change_ids, moves, strict=True)
        ],
    )
    if events:
        told = [
            _happening(move, change_id, steps, reason, now)
            for change_id, move in zip(change_ids, moves, strict=True)
        ]
        append(tenant.pk, told, history=history)
    return {move.member_id for move in moves}


def first_tier_id(tenant: Tenant) -> int | None:
    """The tier on which a member without points stands."""
    return Tier.objects.filter(tenant=tenant, threshold=0).values_list("pk", flat=True).first()


def note_start(tier_id: int | None, member_ids: Collection[int], *, now: datetime) -> None:
    """History of new members who start on a tier. No event: it is where they begin, nothing achieved."""
    if tier_id is not None:
        rows = [(member_id, tier_id, "Joined", now) for member_id in sorted(member_ids)]
        rowset.insert(TierChange, ("member", "after", "reason", "changed_at"), rows)


def _happening(move: _Move, change_id: int, steps: dict[int, Tier], reason: str, now: datetime) -> Happening:
    before = steps.get(move.before_id or 0)
    after = steps.get(move.after_id or 0)
    rose = is_rise(before.threshold if before else None, after.threshold if after else None)
    subject = after if rose else before
    values = {
        "Tier": subject and subject.name,
        "Previous Tier": before and before.name,
        "Current Tier": after and after.name,
        "Balance": move.balance,
        "Lifetime Points": move.lifetime,
        "Reason": reason,
        "Member Id": move.external_id,
        "Occurred At": now,
    }
    kind = "tier_achieved" if rose else "tier_lost"
    return Happening(move.member_id, kind, values, now, f"tier:{change_id}")


def apply_definition(
    tenant: Tenant, steps: Sequence[Step], *, reason: str = "Tiers changed", events: bool = True
) -> int:
    """Create or change tiers to match, and move every member concerned; return how many moved.

    Tiers that are not named stay. Raises ValueError with every sentence that refuses the definition.
    """
    define(tenant, steps)
    return reevaluate(tenant, reason=reason, events=events)


@transaction.atomic
def define(tenant: Tenant, steps: Sequence[Step]) -> None:
    """Create or change tiers to match, and move nobody yet: `reevaluate` does.

    Names and distances to the next tier are fields of every member, so a change marks them all.
    """
    present = {tier.slug: tier for tier in Tier.objects.select_for_update().filter(tenant=tenant)}
    before = {slug: Step(slug, tier.name, tier.threshold) for slug, tier in present.items()}
    after = {**before, **{step.slug: step for step in steps}}
    errors = definition_errors(after.values()) + definition_errors(steps)
    if errors:
        raise ValueError(" ".join(dict.fromkeys(errors)))
    if after == before:
        return
    moving = [tier.pk for slug, tier in present.items() if tier.threshold != after[slug].threshold]
    rowset.execute(
        "UPDATE loyalty_tier SET threshold = threshold + %s WHERE id = ANY(%s::bigint[])", [_ASIDE, moving]
    )
    for step in steps:
        Tier.objects.update_or_create(
            tenant=tenant, slug=step.slug, defaults={"name": step.name, "threshold": step.threshold}
        )
    mark_all_dirty(tenant.pk)


def reevaluate(
    tenant: Tenant, *, reason: str = "Tiers changed", events: bool = True, seconds: float = inf
) -> int:
    """Move every member whose step no longer fits, some thousands a transaction; return how many moved.

    Ends after about so many `seconds`. Safe to repeat after it was cut short.
    """
    began = monotonic()
    found = [row[0] for row in rowset.execute(_MOVES + "ORDER BY member.id", [tenant.pk])]
    moved = 0
    for at in range(0, len(found), CHUNK):
        if monotonic() - began > seconds:
            break
        with transaction.atomic():
            ids = evaluate(tenant, lock(found[at : at + CHUNK], tenant=tenant), reason=reason, events=events)
            audiences.follow(tenant, ids)
            mark_dirty(tenant.pk, ids)
            moved += len(ids)
    return moved
