"""From members to batches: the plan of one run, made by the database in a few statements.

`plan_members` looks at one range of members and leaves, in one transaction: batches for what changed,
rows for what is held, a count of what is up to date. Members in an open batch are skipped and stay due.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from integrations.gateway.values import BatchKind
from integrations.models import Extension, SyncRow, SyncRun, Verdict
from integrations.planning import desired, filling, healing, leaving, memberships
from loyalty.models import Member

CHUNK = 20_000  # members planned in one transaction, whose rows are locked meanwhile
FEW = 2_000  # up to this many are looked up by id, more by their range


@dataclass(frozen=True)
class Scope:
    """Which members a run looks at. `ids` narrows to some, `due` to those marked; both off: everybody."""

    ids: tuple[int, ...] | None = None
    due: bool = False
    force: bool = False
    again: bool = False  # also what was refused before with the same data
    profiles: bool = True  # False: only lists are looked at
    singles_up_to: int = 0  # up to this many go one by one
    lane: str = "bulk"
    fills: bool = False  # batches are filled up over the chunks, until `filling.close`


@dataclass(frozen=True)
class Planned:
    """What one chunk came to; `last_id` is None when nobody is left."""

    last_id: int | None
    pushed: int = 0
    unchanged: int = 0
    held: int = 0


def plan_members(run: SyncRun, scope: Scope, after_id: int) -> Planned:
    """Plan the members with an id above `after_id`, at most CHUNK of them. Call inside a transaction."""
    ids = _candidates(run.extension, scope, after_id)
    if not ids:
        return Planned(None)
    with connection.cursor() as cursor:
        _ensure_sent_rows(cursor, run.extension, ids)
        _lock(cursor, run.extension, ids)
        _make_plan(cursor, run.extension, scope, ids)
        if not (scope.again or scope.force):
            _hold_refused(cursor)
        _mark_carried(cursor, run.extension, ids)
        held = _write_held(cursor, run)
        is_single = _decide_rides(cursor, scope)
        kind = BatchKind.SINGLES if is_single else BatchKind.PROFILES
        pushed = filling.write(cursor, run, kind, lane=scope.lane, fills=scope.fills)
        listed = memberships.plan_joins(cursor, run, scope.lane, with_riders=is_single)
        listed += memberships.plan_leaves(cursor, run, scope.lane, ids)
        unchanged = _clear_rest(cursor, run)
        if scope.profiles:
            _mend_unchanged(cursor, run)
        leaving.forget(cursor, run.extension)
        cursor.execute("DROP TABLE plan")
    return Planned(ids[-1], pushed + listed, unchanged, held)


def _candidates(extension: Extension, scope: Scope, after_id: int) -> list[int]:
    members: QuerySet[Member] = Member.objects.filter(tenant_id=extension.tenant_id, pk__gt=after_id)
    if scope.ids is not None:
        members = members.filter(pk__in=scope.ids)
    if scope.due:
        members = members.filter(
            sent_profiles__extension=extension,
            sent_profiles__due_at__isnull=False,
            sent_profiles__in_flight=None,
        )
    return list(members.order_by("pk").values_list("pk", flat=True)[:CHUNK])


def _ensure_sent_rows(cursor: Any, extension: Extension, ids: list[int]) -> None:
    cursor.execute(
        """
        INSERT INTO integrations_sentprofile
            (extension_id, member_id, remote_id, verdict, code, words, failures)
        SELECT %s, id, '', '', '', '', 0 FROM unnest(%s::bigint[]) AS id
        ON CONFLICT (extension_id, member_id) DO NOTHING
        """,
        [extension.pk, ids],
    )


def _lock(cursor: Any, extension: Extension, ids: list[int]) -> None:
    """Nobody marks these members between our look and our clearing of the mark. In order, as everybody locks."""
    cursor.execute(
        """
        SELECT 1 FROM integrations_sentprofile
        WHERE extension_id = %s AND member_id = ANY(%s::bigint[]) ORDER BY member_id FOR NO KEY UPDATE
        """,
        [extension.pk, ids],
    )


def _make_plan(cursor: Any, extension: Extension, scope: Scope, ids: list[int]) -> None:
    """The difference, as a temporary table: who, why not, what joins, whether anything changed.

    Materialized, or the document would be made anew for each comparison with it: four times slower.
    """
    members = desired.members(extension)
    if len(ids) <= FEW:
        members = members.filter(pk__in=ids)
    else:
        # Rows written a moment ago have no statistics yet: a nested loop over two guesses of "one row"
        # would be a million times a million.
        cursor.execute("SET LOCAL enable_nestloop = off")
        members = members.filter(pk__range=(ids[0], ids[-1]))
    sql, params = members.query.sql_with_params()
    names = leaving.counted_names(extension)
    which = [extension.pk, names, ids, extension.pk, ids[0], ids[-1]]
    cursor.execute(
        f"""
        CREATE TEMP TABLE plan ON COMMIT DROP AS
        WITH desired(member_id, document, hold) AS MATERIALIZED ({sql}),
        joins AS (
            SELECT am.member_id, array_agg(mp.id ORDER BY mp.id) AS mapping_ids
            FROM integrations_audiencemapping mp
            JOIN loyalty_audiencemember am ON am.audience_id = mp.audience_id AND am.left_at IS NULL
            LEFT JOIN integrations_sentmembership sm ON sm.mapping_id = mp.id AND sm.member_id = am.member_id
            WHERE mp.extension_id = %s AND mp.list_id <> '' AND mp.read_at IS NOT NULL
              AND NOT mp.is_paused AND mp.ending_at IS NULL AND mp.problem = '' AND sm.id IS NULL
            GROUP BY am.member_id
        ),
        looked AS (
            SELECT d.member_id, d.document, d.hold, sp.payload, sp.refused, sp.remote_id,
                   d.document IS DISTINCT FROM sp.payload AS is_other,
                   d.document IS DISTINCT FROM sp.payload
                   AND d.document IS DISTINCT FROM {leaving.counted_sql("sp.payload")} AS differs
            FROM desired d
            JOIN unnest(%s::bigint[]) AS wanted(id) ON wanted.id = d.member_id
            JOIN integrations_sentprofile sp ON sp.member_id = d.member_id AND sp.extension_id = %s
            WHERE sp.in_flight IS NULL AND sp.member_id BETWEEN %s AND %s
        )
        SELECT d.member_id, d.hold,
               COALESCE(j.mapping_ids, '{{}}'::bigint[]) AS mapping_ids,
               d.remote_id, false AS rides,
               (d.document IS NOT DISTINCT FROM d.refused AND d.refused IS NOT NULL) AS is_refused,
               d.differs, d.is_other AND NOT d.differs AS has_left,
               ((%s OR (d.payload IS NULL AND j.mapping_ids IS NOT NULL)) AND (%s OR d.differs)) AS is_changed
        FROM looked d LEFT JOIN joins j ON j.member_id = d.member_id
        """,
        [*params, *which, scope.profiles, scope.force],
    )
    cursor.execute("SET LOCAL enable_nestloop = on")


def _hold_refused(cursor: Any) -> None:
    cursor.execute(
        "UPDATE plan SET hold = %s WHERE hold = '' AND is_refused AND is_changed", [desired.REFUSED_BEFORE]
    )


def _mark_carried(cursor: Any, extension: Extension, ids: list[int]) -> None:
    """Who is being carried by another batch is looked at again when that one has settled."""
    cursor.execute(
        """
        UPDATE integrations_sentprofile SET due_at = COALESCE(due_at, now())
        WHERE extension_id = %s AND member_id = ANY(%s::bigint[]) AND in_flight IS NOT NULL
        """,
        [extension.pk, ids],
    )


def _write_held(cursor: Any, run: SyncRun) -> int:
    """Rows for those we do not send, and the reason at their state."""
    cursor.execute(
        """
        UPDATE integrations_sentprofile sp
        SET due_at = NULL, verdict = CASE WHEN p.hold = %s THEN sp.verdict ELSE 'held' END,
            code = CASE WHEN p.hold = %s THEN sp.code ELSE p.hold END,
            words = CASE WHEN p.hold = %s THEN sp.words ELSE '' END
        FROM plan p WHERE p.hold <> '' AND sp.member_id = p.member_id AND sp.extension_id = %s
        """,
        [desired.REFUSED_BEFORE] * 3 + [run.extension_id],
    )
    cursor.execute("SELECT member_id, hold FROM plan WHERE hold <> '' ORDER BY member_id")
    held = cursor.fetchall()
    rows = (
        SyncRow(run=run, member_id=pk, verdict=Verdict.HELD, code=code, words=desired.HOLD_WORDS[code])
        for pk, code in held
    )
    SyncRow.objects.bulk_create(rows, batch_size=2000)
    return len(held)


def _decide_rides(cursor: Any, scope: Scope) -> bool:
    """Who goes with a profile call; returns whether they are few enough for single calls.

    In bulk, joiners ride in the job's list relationship; an unchanged member does so only where no
    remote id is known, because the list call needs one.
    """
    needs_id = "(mapping_ids <> '{}' AND remote_id = '')"
    cursor.execute(f"SELECT count(*) FROM plan WHERE hold = '' AND (is_changed OR {needs_id})")
    is_single = not scope.fills and int(cursor.fetchone()[0]) <= scope.singles_up_to
    riders = "" if is_single else f"OR {needs_id}"
    cursor.execute(f"UPDATE plan SET rides = true WHERE hold = '' AND (is_changed {riders})")
    return is_single


def _clear_rest(cursor: Any, run: SyncRun) -> int:
    """Take the mark from those whose profile needs no call; return how many are up to date in all.

    A run that looks at lists only leaves the mark of those whose profile differs to the live lane.
    """
    cursor.execute(
        "SELECT member_id, mapping_ids = '{}' FROM plan WHERE hold = '' AND NOT rides AND NOT differs"
    )
    rest = cursor.fetchall()
    _clear_due(cursor, run.extension_id, [member_id for member_id, _ in rest])
    return sum(1 for _, is_unchanged in rest if is_unchanged)


def _mend_unchanged(cursor: Any, run: SyncRun) -> None:
    """Who was held or refused and is now as it arrived before needs nobody any more, and nor do the rows."""
    cursor.execute(
        """
        UPDATE integrations_sentprofile sp SET verdict = 'sent', code = '', words = '', refused = NULL
        FROM plan p
        WHERE p.hold = '' AND NOT p.rides AND sp.member_id = p.member_id AND sp.extension_id = %s
          AND sp.payload IS NOT NULL AND sp.verdict IN ('held', 'rejected', 'failed')
        RETURNING sp.member_id
        """,
        [run.extension_id],
    )
    healing.heal(run.extension_id, [row[0] for row in cursor.fetchall()], run.pk)


def _clear_due(cursor: Any, extension_id: int, ids: list[int]) -> None:
    """Only rows that are marked are written: most of an unchanged million are not."""
    if ids:
        cursor.execute(
            """
            UPDATE integrations_sentprofile SET due_at = NULL, not_before = NULL, failures = 0
            WHERE extension_id = %s AND member_id = ANY(%s::bigint[]) AND due_at IS NOT NULL
            """,
            [extension_id, ids],
        )
