"""The table that a file is copied into: for one transaction, then gone."""

from collections.abc import Iterable, Sequence
from itertools import islice

from django.db import connection

from loyalty.importing.reports import Report
from loyalty.models import ErasedMember
from loyalty.services import rowset
from portal.tenancy.models import Tenant

_LINES_AT_ONCE = 2_000
ERASED = "external_id: this person was erased on request. Nothing can be stored under this id again."

_REPLACED = """
DELETE FROM import_stage AS s
USING (SELECT external_id, max(line) AS line FROM import_stage GROUP BY 1 HAVING count(*) > 1) AS last
WHERE s.external_id = last.external_id AND s.line < last.line
RETURNING s.line, s.external_id, last.line
"""


# The digest of loyalty/rules/tombstones.py.
_ERASED = """
DELETE FROM import_stage AS s
WHERE encode(sha256(convert_to(%s || ':external_id:' || s.external_id, 'UTF8')), 'hex') IN (
    SELECT digest FROM loyalty_erasedmember WHERE tenant_id = %s
) AND NOT EXISTS (
    SELECT FROM loyalty_member AS m WHERE m.tenant_id = %s AND m.external_id = s.external_id
)
RETURNING s.line, s.external_id
"""


def fill(columns: Sequence[tuple[str, str]], lines: Iterable[str]) -> int:
    """Make the table with these columns (name, type) and copy the lines in; how many there were."""
    typed = ", ".join(f"{name} {kind}" for name, kind in columns)
    names = ", ".join(name for name, _ in columns)
    rowset.execute("DROP TABLE IF EXISTS import_stage")  # of an import before it in the same transaction
    rowset.execute(f"CREATE TEMP TABLE import_stage (line integer NOT NULL, {typed}) ON COMMIT DROP")
    count = 0
    rest = iter(lines)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY import_stage (line, {names}) FROM STDIN") as copy,
    ):
        while block := list(islice(rest, _LINES_AT_ONCE)):
            copy.write("".join(block))
            count += len(block)
    rowset.execute("ANALYZE import_stage")
    return count


def drop_replaced(report: Report) -> int:
    """Of lines that name the same member the last one stands; how many went, each with a warning."""
    found = rowset.execute(_REPLACED)
    for line, external_id, last in sorted(found):
        report.warn(
            line, external_id, f"external_id: stands again in line {last}, which is the one that counts."
        )
    return len(found)


def refuse_erased(tenant: Tenant, report: Report) -> None:
    """Nobody who asked to be forgotten comes back by a file."""
    if not ErasedMember.objects.filter(tenant=tenant).exists():
        return
    for line, external_id in sorted(rowset.execute(_ERASED, [str(tenant.pk), tenant.pk, tenant.pk])):
        report.refuse(line, external_id, (ERASED,))
