"""What a re-run would find, worked out before it is asked for: said first, in one sentence."""

from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import Count, Q, QuerySet

from integrations.models import Extension, RunKind, SyncRow, SyncRun
from integrations.planning import desired, leaving
from integrations.services import reruns
from loyalty.models import Member
from portal import wording

LOOKED_AT_UP_TO = 50_000  # members compared one by one; of more only the number is told

STILL = {
    desired.NO_IDENTIFIER: ("still has no e-mail or phone", "still have no e-mail or phone"),
    desired.NOT_OPTED_IN: ("still has not allowed marketing", "still have not allowed marketing"),
    desired.SHARED_EMAIL: ("still shares an e-mail address", "still share an e-mail address"),
    desired.SHARED_PHONE: ("still shares a phone number", "still share a phone number"),
}


@dataclass(frozen=True)
class Outlook:
    """The open rows of a run as they would fare now.

    `profiles` members, of whom `differ` have other data than arrived, `arrived` are as they should be,
    `refused` would go as they were refused, `held` (code: members) are held back still, and `moving` are on
    their way in another batch. `is_counted` False: too many to compare. `covered`: members of the whole job.
    """

    profiles: int = 0
    lists: int = 0
    events: int = 0
    healed: int = 0
    covered: int = 0
    is_counted: bool = True
    differ: int = 0
    arrived: int = 0
    refused: int = 0
    moving: int = 0
    held: tuple[tuple[str, int], ...] = ()

    @property
    def rows(self) -> int:
        return self.profiles + self.lists + self.events

    @property
    def sentence(self) -> str:
        """Such as "37 rows: 31 now differ, 4 already arrived, 2 still have no e-mail or phone."."""
        if not self.rows:
            return ""
        parts = self._parts()
        return f"{wording.counted(self.rows, 'row')}{': ' + ', '.join(parts) if parts else ''}."

    def _parts(self) -> list[str]:
        found = [
            (self.differ, "now differs", "now differ"),
            (self.arrived, "already arrived", "already arrived"),
            (self.refused, "is still as it was refused", "are still as they were refused"),
            *((count, *STILL.get(code, ("is held back", "are held back"))) for code, count in self.held),
            (self.moving, "is on its way", "are on their way"),
            (self.lists, "is a change of a list", "are changes of lists"),
            (self.events, "is an event", "are events"),
        ]
        return [f"{count:,} {one if count == 1 else many}" for count, one, many in found if count]


def of(run: SyncRun) -> Outlook:
    """What a re-run of `run` would find. Changes nothing."""
    found = of_rows(run.extension, reruns.open_rows(run))
    return replace(found, healed=reruns.forecast(run).healed, covered=_covered(run))


def of_rows(extension: Extension, rows: QuerySet[SyncRow]) -> Outlook:
    """How open rows of one connection would fare now, whichever runs they are of. Changes nothing."""
    of_profiles = rows.filter(delivery_id=None, mapping=None)
    profiles = of_profiles.values("member_id").distinct().count()
    others = rows.aggregate(
        lists=Count("pk", filter=Q(delivery_id=None, mapping__isnull=False)),
        events=Count("pk", filter=Q(delivery_id__isnull=False)),
    )
    known = Outlook(
        profiles=profiles,
        lists=others["lists"],
        events=others["events"],
        is_counted=profiles <= LOOKED_AT_UP_TO,
    )
    if not known.is_counted:
        return known
    groups = _groups(extension, of_profiles) if profiles else {}
    held = sorted((code[5:], count) for code, count in groups.items() if code.startswith("held:"))
    return replace(
        known,
        differ=groups.get("differs", 0),
        arrived=groups.get("arrived", 0),
        refused=groups.get("refused", 0),
        moving=groups.get("moving", 0),
        held=tuple(held),
    )


def _covered(run: SyncRun) -> int:
    """Members that the whole job again would look at."""
    if run.kind in (RunKind.FULL, RunKind.AUDIENCES) and run.member_ids is None:
        return Member.objects.filter(tenant_id=run.extension.tenant_id).count()
    return len(reruns.touched(run))


def _groups(extension: Extension, rows: QuerySet[SyncRow]) -> dict[str, int]:
    """Members of the rows by how they would fare: differs, arrived, refused, moving or held:<code>."""
    ids = rows.values("member_id")
    sql, params = desired.members(extension).filter(pk__in=ids).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH wanted(member_id, document, hold) AS MATERIALIZED ({sql})
            SELECT CASE
                     WHEN d.hold <> '' THEN 'held:' || d.hold
                     WHEN sp.in_flight IS NOT NULL THEN 'moving'
                     WHEN d.document IS NOT DISTINCT FROM {leaving.counted_sql("sp.payload")} THEN 'arrived'
                     WHEN d.document IS NOT DISTINCT FROM sp.refused THEN 'refused'
                     ELSE 'differs'
                   END AS fate, count(*)
            FROM wanted d
            LEFT JOIN integrations_sentprofile sp ON sp.member_id = d.member_id AND sp.extension_id = %s
            GROUP BY fate
            """,
            [*params, leaving.counted_names(extension), extension.pk],
        )
        return {str(fate): int(count) for fate, count in cursor.fetchall()}
