"""From the stage into the members, as sets: only rows that differ are written."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils import timezone

from loyalty.rules.member_input import TEXT_LIMITS
from loyalty.services import rowset
from portal.tenancy.models import Tenant

# Column of Member: its value after the merge, of the stage (s) and what is there (m).
_TEXTS = ("email", "email_malformed", "phone", "phone_malformed", *TEXT_LIMITS, "state", "tags")
_BIRTH = ("birth_year", "birth_month", "birth_day")
_MERGED = {
    **{name: f"coalesce(s.{name}, m.{name})" for name in _TEXTS},
    **{
        name: f"CASE WHEN s.birth_month IS NULL THEN m.{name} WHEN s.birth_month > 0 THEN s.{name} END"
        for name in _BIRTH
    },
    "enrolled_at": "nullif(coalesce(s.enrolled_at, m.enrolled_at), '-infinity')",
    "attributes": (
        "CASE WHEN s.attributes IS NULL THEN m.attributes"
        " ELSE (m.attributes || s.attributes) - coalesce(s.attributes_gone, '{}') END"
    ),
}
_EMPTY = {
    **dict.fromkeys(("email", "phone", *TEXT_LIMITS), "''"),
    **dict.fromkeys(("email_malformed", "phone_malformed"), "false"),
    "state": "'member'",
    "tags": "'{}'",
    "attributes": "'{}'",
}
# Column of Member: its value in a new row.
_FRESH = {
    **{name: f"coalesce(s.{name}, {empty})" for name, empty in _EMPTY.items()},
    **{name: f"CASE WHEN s.birth_month > 0 THEN s.{name} END" for name in _BIRTH},
    "enrolled_at": "nullif(s.enrolled_at, '-infinity')",
}
# Told by other services afterwards; a difference makes the member a changed one all the same.
_CONSENTS = ("email_consent", "sms_consent")
_NEW_ONLY = {
    "points_balance": "0",
    "points_lifetime": "0",
    "points_expiring_next": "0",
    "email_consent": "''",
    "sms_consent": "''",
}
# Who shares an address that somebody gets or gives up: what may be sent of them changes too.
_TWINS = """
INSERT INTO import_twins
SELECT twin.id FROM import_touched AS t
JOIN import_stage AS s ON s.line = t.line JOIN loyalty_member AS m ON m.id = t.id
JOIN loyalty_member AS twin ON twin.tenant_id = %s AND twin.{kind} > '' AND twin.{kind} IN (m.{kind}, s.{kind})
WHERE s.{kind} <> m.{kind} AND twin.id <> m.id
"""

_MANY = 1_000


@dataclass(frozen=True)
class Merged:
    created: int
    updated: int


def merge(tenant: Tenant, told: Collection[str]) -> Merged:
    """Merge the stage, which has the columns `told`; whom it touched is left in import_touched.

    A new member's line stays empty there: it is found by external_id where it is needed.
    Members that somebody else makes at the same time are met by a second look.
    """
    rowset.execute("DROP TABLE IF EXISTS import_touched, import_twins")
    rowset.execute("CREATE TEMP TABLE import_twins (id bigint) ON COMMIT DROP")
    rowset.execute(
        "CREATE TEMP TABLE import_touched (id bigint, line integer, is_new boolean) ON COMMIT DROP"
    )
    [(staged,)] = rowset.execute("SELECT count(*) FROM import_stage")
    created = 0
    while True:
        present, made = _update(tenant, told), _insert(tenant, told)
        created += made
        if present + made == staged:
            break
    [(touched,)] = rowset.execute("SELECT count(DISTINCT id) FROM import_touched")
    rowset.execute("ANALYZE import_touched")
    if created > _MANY:
        # The planner knows nothing of rows of this transaction: what follows would be planned for a few.
        rowset.execute("ANALYZE loyalty_member")
    return Merged(created, touched - created)


def _update(tenant: Tenant, told: Collection[str]) -> int:
    """Change those that differ; how many of the stage are members already."""
    merged = {name: value for name, value in _MERGED.items() if name in told}
    differs = [
        f"({_list(f'm.{name}' for name in merged)}) IS DISTINCT FROM ({_list(merged.values())})"
        if merged
        else "false",
        *(f"coalesce(s.{name}, m.{name}) <> m.{name}" for name in _CONSENTS if name in told),
    ]
    [(present,)] = rowset.execute(
        f"""
        WITH present AS MATERIALIZED (
            SELECT m.id, s.line, ({" OR ".join(differs)}) AS differs
            FROM import_stage AS s
            JOIN loyalty_member AS m ON m.tenant_id = %s AND m.external_id = s.external_id
        ), kept AS (INSERT INTO import_touched SELECT id, line, false FROM present WHERE differs)
        SELECT count(*) FROM present
        """,
        [tenant.pk],
    )
    # Everybody locks members in the order of their ids: nobody waits in a circle.
    rowset.execute(
        "SELECT count(*) FROM (SELECT id FROM loyalty_member WHERE id IN (SELECT id FROM import_touched)"
        " ORDER BY id FOR NO KEY UPDATE) AS locked"
    )
    for kind in {"email", "phone"} & set(told):
        rowset.execute(_TWINS.format(kind=kind), [tenant.pk])
    sets = _list(f"{name} = {value}" for name, value in merged.items())
    rowset.execute(
        f"""
        UPDATE loyalty_member AS m SET {sets + ", " if sets else ""} updated_at = %s
        FROM import_touched AS t JOIN import_stage AS s ON s.line = t.line
        WHERE m.id = t.id AND NOT t.is_new
        """,
        [timezone.now()],
    )
    return int(present)


def _insert(tenant: Tenant, told: Collection[str]) -> int:
    """Make those that are not there; how many were made."""
    values = _EMPTY | _NEW_ONLY | {name: value for name, value in _FRESH.items() if name in told}
    now = timezone.now()
    [(made,)] = rowset.execute(
        f"""
        WITH made AS (
            INSERT INTO loyalty_member (tenant_id, external_id, created_at, updated_at, {_list(values)})
            SELECT %s, s.external_id, %s, %s, {_list(values.values())} FROM import_stage AS s
            WHERE NOT EXISTS (
                SELECT FROM loyalty_member AS m WHERE m.tenant_id = %s AND m.external_id = s.external_id)
            ON CONFLICT (tenant_id, external_id) DO NOTHING RETURNING id
        ), kept AS (INSERT INTO import_touched SELECT id, NULL, true FROM made RETURNING 1)
        SELECT count(*) FROM kept
        """,
        [tenant.pk, now, now, tenant.pk],
    )
    return int(made)


def _list(parts: Iterable[str]) -> str:
    return ", ".join(parts)
