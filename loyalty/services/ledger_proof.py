"""Proof of the ledger: every cached figure against the rows it stands for, inside PostgreSQL."""

from dataclasses import dataclass

from django.utils import timezone

from loyalty.services import rowset
from loyalty.services.posting import NEXT_EXPIRY
from portal.tenancy.models import Tenant

SHOWN = 20


@dataclass(frozen=True)
class Broken:
    """One member for whom a figure and its rows disagree."""

    check: str
    external_id: str
    kept: str
    proven: str


@dataclass(frozen=True)
class Proof:
    """`broken` has the first of each check, `counts` how many there are of each."""

    members: int
    counts: dict[str, int]
    broken: tuple[Broken, ...]

    @property
    def holds(self) -> bool:
        return not any(self.counts.values())


_ENTRIES = """
SELECT member.external_id, {kept}::text, coalesce(sum(entry.points) {filter}, 0)::text
FROM loyalty_member AS member LEFT JOIN loyalty_pointsentry AS entry ON entry.member_id = member.id
WHERE member.tenant_id = %(tenant)s GROUP BY member.id
HAVING {kept} <> coalesce(sum(entry.points) {filter}, 0)
"""
# Each check names the members for whom it fails: external id, what is kept, what the rows prove.
CHECKS = {
    "balance is the sum of all entries": _ENTRIES.format(kept="member.points_balance", filter=""),
    "lifetime is the sum of what was earned": _ENTRIES.format(
        kept="member.points_lifetime", filter="FILTER (WHERE entry.kind = 'earn')"
    ),
    "each entry has the balance after it": """
        SELECT member.external_id, chain.id || ': ' || chain.balance_after, chain.running::text
        FROM (
            SELECT id, member_id, balance_after, sum(points) OVER (PARTITION BY member_id ORDER BY id) AS running
            FROM loyalty_pointsentry WHERE tenant_id = %(tenant)s
        ) AS chain JOIN loyalty_member AS member ON member.id = chain.member_id
        WHERE chain.balance_after <> chain.running
    """,
    "balance is what the lots hold": """
        SELECT member.external_id, member.points_balance::text, coalesce(sum(lot.remaining), 0)::text
        FROM loyalty_member AS member LEFT JOIN loyalty_pointslot AS lot ON lot.member_id = member.id
        WHERE member.tenant_id = %(tenant)s GROUP BY member.id
        HAVING member.points_balance <> coalesce(sum(lot.remaining), 0)
    """,
    "each lot holds what was not used of it": """
        SELECT member.external_id, lot.id || ': ' || lot.remaining,
               (lot.points - coalesce(sum(used.points), 0))::text
        FROM loyalty_pointslot AS lot JOIN loyalty_member AS member ON member.id = lot.member_id
        LEFT JOIN loyalty_lotuse AS used ON used.lot_id = lot.id
        WHERE member.tenant_id = %(tenant)s GROUP BY lot.id, member.external_id
        HAVING lot.remaining <> lot.points - coalesce(sum(used.points), 0)
    """,
    "each entry has its lot or its uses": """
        SELECT member.external_id, entry.id || ': ' || entry.points,
               coalesce(lot.points - coalesce(used.points, 0), -used.points, 0)::text
        FROM loyalty_pointsentry AS entry JOIN loyalty_member AS member ON member.id = entry.member_id
        LEFT JOIN loyalty_pointslot AS lot ON lot.entry_id = entry.id
        LEFT JOIN (
            SELECT entry_id, sum(points) AS points FROM loyalty_lotuse GROUP BY entry_id
        ) AS used ON used.entry_id = entry.id
        WHERE entry.tenant_id = %(tenant)s
          AND entry.points <> coalesce(lot.points - coalesce(used.points, 0), -used.points, 0)
    """,
    "the next expiry is that of the lots": f"""
        SELECT member.external_id,
               concat_ws(' at ', member.points_expiring_next::text, member.points_expire_at::text),
               concat_ws(' at ', coalesce(soon.points, 0)::text, soon.at::text)
        FROM loyalty_member AS member
        CROSS JOIN LATERAL (SELECT member.id AS member_id) AS told
        CROSS JOIN LATERAL ({NEXT_EXPIRY}) AS soon
        WHERE member.tenant_id = %(tenant)s
          AND (member.points_expiring_next, member.points_expire_at)
              IS DISTINCT FROM (coalesce(soon.points, 0), soon.at)
    """,
}


def prove(tenant: Tenant) -> Proof:
    """Check every member of the tenant; read only."""
    params = {"tenant": tenant.pk, "zone": tenant.timezone, "now": timezone.now(), "shown": SHOWN}
    counts: dict[str, int] = {}
    broken: list[Broken] = []
    for check, statement in CHECKS.items():
        limited = f"SELECT *, count(*) OVER () FROM ({statement}) AS broken ORDER BY 1 LIMIT %(shown)s"
        found = rowset.execute(limited, params)
        counts[check] = found[0][3] if found else 0
        broken.extend(Broken(check, external_id, kept, proven) for external_id, kept, proven, _ in found)
    members = rowset.execute("SELECT count(*) FROM loyalty_member WHERE tenant_id = %s", [tenant.pk])[0][0]
    return Proof(members, counts, tuple(broken))
