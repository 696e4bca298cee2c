"""The end of a batch: rows, what was sent, memberships, deliveries and counters, in one transaction.

Only the owner of the batch may settle it. If another write overlapped all the same, what was sent is
forgotten, so that it is sent again.
"""

import json
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils import timezone

from integrations.gateway.values import BatchKind
from integrations.models import (
    BatchState,
    Delivery,
    DeliveryState,
    SentMembership,
    SyncBatch,
    SyncRow,
    Verdict,
)
from integrations.planning import healing
from integrations.planning.manifest import Row
from integrations.services import claims, list_endings

OUTCOMES = (Verdict.SENT, Verdict.REJECTED, Verdict.FAILED, Verdict.HELD)


@transaction.atomic
def settle(batch: SyncBatch, rows: Sequence[Row], *, state: BatchState = BatchState.SETTLED) -> None:
    """Record what became of each row; a row still without a verdict has arrived. Raises Lost."""
    for row in rows:
        row.verdict = row.verdict or Verdict.SENT
    was_accepted = batch.rows if batch.accepted_at else 0
    _close(batch, state, len(rows))
    if batch.kind in (BatchKind.PROFILES, BatchKind.SINGLES):
        _settle_profiles(batch, rows)
    elif batch.kind in (BatchKind.EVENTS, BatchKind.SINGLE_EVENTS):
        _settle_deliveries(batch, rows)
    else:
        _settle_memberships(batch, rows)
    _write_rows(batch, rows)
    _count(batch, rows, was_accepted)
    if batch.kind in (BatchKind.JOINS, BatchKind.LEAVES):
        list_endings.finish(batch.extension_id)


def _close(batch: SyncBatch, state: BatchState, rows: int) -> None:
    closed = claims.owned(batch).update(
        state=state,
        settled_at=timezone.now(),
        owner=None,
        lease_until=None,
        body=None,
        manifest=None,
        rows=rows,
        code=batch.code,
        words=batch.words[:500],
    )
    if not closed:
        raise claims.Lost(f"batch {batch.pk}")


def _settle_profiles(batch: SyncBatch, rows: Sequence[Row]) -> None:
    claims.lock_members(batch.extension_id, batch.member_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH settled AS (
                SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r(
                    member_id bigint, document jsonb, kept jsonb, verdict text, code text, words text,
                    remote_id text, created_by_us boolean, keeps_payload boolean)
            )
            UPDATE integrations_sentprofile sp SET
                payload = CASE
                    WHEN sp.in_flight IS DISTINCT FROM %s THEN NULL
                    WHEN s.verdict IN ('sent', 'unchanged') AND NOT s.keeps_payload THEN s.document
                    ELSE sp.payload END,
                refused = CASE WHEN s.verdict = 'sent' THEN NULL
                               WHEN s.verdict = 'rejected' THEN s.document ELSE sp.refused END,
                kept = CASE WHEN s.verdict IN ('sent', 'unchanged') AND NOT s.keeps_payload THEN s.kept
                            ELSE sp.kept END,
                remote_id = CASE WHEN s.remote_id <> '' THEN s.remote_id ELSE sp.remote_id END,
                created_by_us = COALESCE(
                    sp.created_by_us,
                    CASE WHEN s.verdict = 'sent' OR NOT s.created_by_us THEN s.created_by_us END),
                sent_at = CASE WHEN s.verdict = 'sent' THEN now() ELSE sp.sent_at END,
                run_id = CASE WHEN s.verdict = 'sent' THEN %s ELSE sp.run_id END,
                verdict = s.verdict, code = s.code, words = s.words,
                due_at = CASE WHEN sp.in_flight IS DISTINCT FROM %s THEN now() ELSE sp.due_at END,
                in_flight = CASE WHEN sp.in_flight = %s THEN NULL ELSE sp.in_flight END
            FROM settled s WHERE sp.extension_id = %s AND sp.member_id = s.member_id
            """,
            [_json(rows), batch.pk, batch.run_id, batch.pk, batch.pk, batch.extension_id],
        )
        # Members of the batch that left it without a row (erased, or split off) are not in flight with it.
        cursor.execute(
            """
            UPDATE integrations_sentprofile SET in_flight = NULL, due_at = COALESCE(due_at, now())
            WHERE extension_id = %s AND member_id = ANY(%s::bigint[]) AND in_flight = %s
            """,
            [batch.extension_id, batch.member_ids, batch.pk],
        )
    arrived = [row.member_id for row in rows if row.verdict == Verdict.SENT]
    unchanged = [row.member_id for row in rows if row.verdict == Verdict.UNCHANGED]
    healing.heal(batch.extension_id, arrived + unchanged, batch.run_id)
    for mapping_id in batch.mapping_ids:
        _join(mapping_id, arrived)
    list_endings.late_joiners_are_due(batch, arrived)


def _join(mapping_id: int, member_ids: Sequence[int]) -> None:
    """They are on the list now, by us; who was found there stays *found*."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_sentmembership (mapping_id, member_id, origin, is_leaving, since)
            SELECT %s, id, 'added', false, now() FROM unnest(%s::bigint[]) AS id
            WHERE EXISTS (SELECT 1 FROM integrations_audiencemapping WHERE id = %s)
            ON CONFLICT (mapping_id, member_id) DO NOTHING
            """,
            [mapping_id, list(member_ids), mapping_id],
        )


def _settle_memberships(batch: SyncBatch, rows: Sequence[Row]) -> None:
    """Joined: known as added. Left: forgotten. Anything else: as before, to be planned again."""
    done = [row.member_id for row in rows if row.verdict == Verdict.SENT]
    memberships = SentMembership.objects.filter(
        mapping_id__in=batch.mapping_ids, member_id__in=batch.member_ids, in_flight=batch.pk
    )
    if batch.kind == BatchKind.JOINS:
        memberships.filter(member_id__in=done).update(in_flight=None)
        memberships.filter(in_flight=batch.pk).delete()
    else:
        memberships.filter(member_id__in=done).delete()
        memberships.update(in_flight=None, is_leaving=False)
    _heal_memberships(batch, done)
    _look_again(batch, done)


def _heal_memberships(batch: SyncBatch, member_ids: Sequence[int]) -> None:
    """A join or leave that failed before and is done now needs nobody any more."""
    SyncRow.objects.filter(
        mapping_id__in=batch.mapping_ids,
        member_id__in=member_ids,
        verdict__in=[Verdict.REJECTED, Verdict.FAILED],
        healed_at=None,
    ).update(healed_at=timezone.now(), healed_by_id=batch.run_id)


def _look_again(batch: SyncBatch, member_ids: Sequence[int]) -> None:
    """Who turned round while the call was on its way was skipped by the planners: due once more.

    On a list that is being unlinked everybody is to leave; it is locked, so that a person who keeps it
    after all is either seen here or sees what was done.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM integrations_audiencemapping WHERE id = ANY(%s::bigint[]) FOR SHARE",
            [batch.mapping_ids],
        )
        cursor.execute(
            """
            UPDATE integrations_sentprofile sp SET due_at = COALESCE(sp.due_at, now())
            FROM integrations_audiencemapping mp
            WHERE mp.id = ANY(%s::bigint[]) AND sp.extension_id = mp.extension_id AND sp.member_id = ANY(%s::bigint[])
              AND %s = (mp.ending_at IS NULL AND EXISTS (
                  SELECT 1 FROM loyalty_audiencemember am
                  WHERE am.audience_id = mp.audience_id AND am.member_id = sp.member_id AND am.left_at IS NULL
              ))
            """,
            [batch.mapping_ids, list(member_ids), batch.kind == BatchKind.LEAVES],
        )


def _settle_deliveries(batch: SyncBatch, rows: Sequence[Row]) -> None:
    now = timezone.now()
    deliveries = Delivery.objects.filter(extension_id=batch.extension_id, batch=batch)
    sent = [row.delivery_id for row in rows if row.verdict == Verdict.SENT and row.delivery_id]
    deliveries.filter(pk__in=sent).update(state=DeliveryState.SENT, settled_at=now, code="", words="")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_delivery d
            SET state = r.verdict, settled_at = now(), code = left(r.code, 60), words = left(r.words, 500)
            FROM jsonb_to_recordset(%s::jsonb) AS r(delivery_id bigint, verdict text, code text, words text)
            WHERE d.id = r.delivery_id AND d.batch_id = %s AND r.verdict <> 'sent'
            """,
            [_json(rows), batch.pk],
        )
    # A member erased meanwhile has no delivery any more; any other one left over goes again.
    deliveries.filter(state=DeliveryState.SENDING).update(state=DeliveryState.OPEN, batch=None)


def _write_rows(batch: SyncBatch, rows: Sequence[Row]) -> None:
    mapping_id = batch.mapping_ids[0] if batch.kind in (BatchKind.JOINS, BatchKind.LEAVES) else None
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_syncrow
                (run_id, batch_id, member_id, mapping_id, delivery_id, verdict, action, what, code, words,
                 changes, created_at)
            SELECT %s, %s, r.member_id, mp.id, r.delivery_id, r.verdict, r.action, r.what, left(r.code, 60), r.words,
                   r.changes, now()
            FROM jsonb_to_recordset(%s::jsonb) AS r(
                member_id bigint, delivery_id bigint, verdict text, action text, what text, code text,
                words text, changes jsonb)
            JOIN loyalty_member m ON m.id = r.member_id
            LEFT JOIN integrations_audiencemapping mp ON mp.id = %s
            WHERE r.verdict <> 'unchanged'
            """,
            [batch.run_id, batch.pk, _json(rows), mapping_id],
        )
        if batch.kind in (BatchKind.EVENTS, BatchKind.SINGLE_EVENTS):
            cursor.execute(
                """
                UPDATE integrations_syncrow old SET healed_at = now(), healed_by_id = %s
                WHERE old.delivery_id = ANY(%s::bigint[]) AND old.verdict <> 'sent' AND old.healed_at IS NULL
                  AND old.batch_id <> %s AND old.member_id = ANY(%s::bigint[])
                """,
                [
                    batch.run_id,
                    [row.delivery_id for row in rows if row.verdict == Verdict.SENT],
                    batch.pk,
                    [row.member_id for row in rows if row.verdict == Verdict.SENT],
                ],
            )


def _count(batch: SyncBatch, rows: Sequence[Row], was_accepted: int) -> None:
    """The run's counters move with the rows, in the same transaction."""
    outcome = {verdict: sum(row.verdict == verdict for row in rows) for verdict in OUTCOMES}
    unchanged = sum(row.verdict == Verdict.UNCHANGED for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_syncrun SET
                accepted = greatest(accepted - %s, 0), sent = sent + %s, rejected = rejected + %s,
                failed = failed + %s, held = held + %s, unchanged = unchanged + %s, progress_at = now()
            WHERE id = %s
            """,
            [was_accepted, *[outcome[verdict] for verdict in OUTCOMES], unchanged, batch.run_id],
        )


def _json(rows: Sequence[Row]) -> str:
    return json.dumps([vars(row) for row in rows], ensure_ascii=False)
