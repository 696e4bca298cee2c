"""What follows from members who came in or changed: tiers, consent, opening balances, audiences, marks.

Each walks the rows concerned by a cursor of the server, some thousands at a time: memory stays flat.
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from loyalty.importing.reports import Report
from loyalty.models import Member, PointsEntry
from loyalty.rules.ledger_entries import EntryInput
from loyalty.rules.member_input import CHANNELS, ConsentInput
from loyalty.services import audiences, consent, ledger, outbox, rowset, tiers
from loyalty.services.marks import mark_dirty
from portal.tenancy.models import Tenant

CHUNK = 2_000
SOURCE = "csv"
OPENING_REASON = "Opening balance"
# One a member for ever: the same file, or a mended one, can come again without doubling a balance.
OPENING_KEY = "portal:opening:{}"

_TOUCHED = "SELECT DISTINCT id FROM import_touched ORDER BY id"
_JOINED = """
SELECT m.id, m.external_id, m.enrolled_at FROM import_touched AS t JOIN loyalty_member AS m ON m.id = t.id
WHERE t.is_new AND m.state = 'member' ORDER BY m.id
"""
_CONSENTS = """
SELECT m.id, s.{channel}_consent FROM import_touched AS t
JOIN loyalty_member AS m ON m.id = t.id JOIN import_stage AS s ON s.external_id = m.external_id
WHERE s.{channel}_consent IS NOT NULL AND s.{channel}_consent <> m.{channel}_consent ORDER BY m.id
"""
_OPENINGS = (
    "SELECT line, external_id, opening_balance FROM import_stage WHERE opening_balance > 0 ORDER BY line"
)
# A transaction's own rows are unknown to the planner until somebody counts them: without it a plan made
# for a handful of rows meets a hundred thousand. Counted again each time there are ten times as many.
_COUNTED_AFTER = (1, 10, 100, 1_000)


def follow(tenant: Tenant, told: Collection[str], report: Report, *, events: bool) -> None:
    """Everything that follows from the merge, in the order in which one thing sees the other."""
    _enter_first_tier(tenant)
    if events:
        _tell_joins(tenant)
    for channel in CHANNELS:
        if f"{channel}_consent" in told:
            _record_consents(channel)
    if "opening_balance" in told:
        _post_openings(tenant, report, events=events)
    for ids in _chunks(_TOUCHED):
        audiences.follow(tenant, [member_id for (member_id,) in ids])
    _mark(tenant)


def _enter_first_tier(tenant: Tenant) -> None:
    """New members stand on the step that asks for no points, if there is one; that is no event."""
    if not tenant.tiers.filter(threshold=0).exists():
        return
    for rows in _chunks("SELECT id FROM import_touched WHERE is_new ORDER BY id"):
        tiers.evaluate(tenant, [member_id for (member_id,) in rows], reason="Joined", events=False)


def _tell_joins(tenant: Tenant) -> None:
    """As history: it must start nothing where it is told."""
    now = timezone.now()
    for rows in _chunks(_JOINED):
        told = [
            outbox.Happening(
                member_id,
                "member_joined",
                {"Source": SOURCE, "Member Id": external_id, "Occurred At": enrolled_at or now},
                enrolled_at or now,
                f"member:{member_id}",
            )
            for member_id, external_id, enrolled_at in rows
        ]
        outbox.append(tenant.pk, told, history=True)


def _record_consents(channel: str) -> None:
    for rows in _chunks(_CONSENTS.format(channel=channel)):
        acts = [consent.ConsentAct(member_id, ConsentInput(channel, status)) for member_id, status in rows]
        consent.write(acts, source=SOURCE)


def _post_openings(tenant: Tenant, report: Report, *, events: bool) -> None:
    for number, rows in enumerate(_chunks(_OPENINGS), start=1):
        ids = dict(
            Member.objects.filter(tenant=tenant, external_id__in=[name for _, name, _ in rows]).values_list(
                "external_id", "pk"
            )
        )
        keys = {name: OPENING_KEY.format(member_id) for name, member_id in ids.items()}
        posted = dict(
            PointsEntry.objects.filter(tenant=tenant, idempotency_key__in=keys.values()).values_list(
                "idempotency_key", "points"
            )
        )
        entries = []
        for line, name, points in rows:
            known = posted.get(keys[name])
            if known is None:
                entries.append(EntryInput(name, points, OPENING_REASON, keys[name], kind="earn"))
            elif known != points:
                sentence = f"points_balance: an opening balance of {known} was posted before, and it stands."
                report.warn(line, name, sentence)
        results = ledger.post(tenant, entries, created_by=SOURCE, history=True, events=events)
        report.opening_balances += sum(result.status == "created" for result in results)
        if entries and number in _COUNTED_AFTER:
            rowset.execute("ANALYZE loyalty_pointsentry, loyalty_pointslot, loyalty_member")


def _mark(tenant: Tenant) -> None:
    """Above the limit one mark stands for all, so more ids than that need not be read."""
    limit = settings.FULL_DUE_ABOVE + 1
    ids = rowset.execute("SELECT id FROM import_touched UNION SELECT id FROM import_twins LIMIT %s", [limit])
    mark_dirty(tenant.pk, [member_id for (member_id,) in ids])


def _chunks(statement: str, params: Collection[int] = ()) -> Iterator[list[Any]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, list(params))
        while rows := cursor.fetchmany(CHUNK):
            yield rows
