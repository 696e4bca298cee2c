"""Joins and leaves by the list call, which takes the destination's own ids only.

Ids that are not known yet are looked up a hundred a call; ids that turn out to be outdated are forgotten
and looked up once more. A call that is refused without names is halved down to the single member. The
answer is the destination's last word.
"""

import time
from collections.abc import Sequence

from django.db import connection

from integrations.errors import DestinationError, ListGone, ListRefused, RowsRejected
from integrations.gateway import registry
from integrations.gateway.port import Channel
from integrations.gateway.values import BatchKind
from integrations.models import AudienceMapping, SentProfile, SyncBatch, Verdict
from integrations.planning import desired
from integrations.planning.manifest import Row
from integrations.services import claims, composing, mirror, singles
from loyalty.models import Member

PROFILE_WAIT_SECONDS = 2.0
ALONE = 10  # so many refused one by one, and nobody taken: it is the list, not its people
UNKNOWN = "The destination names this id unknown again and again."


def send(batch: SyncBatch, channel: Channel) -> None:
    """Take the batch's members onto the list, or off it. Consent is never touched."""
    if batch.kind == BatchKind.JOINS and _profiles_are_on_their_way(batch):
        words = "Waits until the profiles of its members have arrived."
        claims.release(batch, seconds=PROFILE_WAIT_SECONDS, counts=False, words=words)
        return
    mapping = AudienceMapping.objects.filter(pk__in=batch.mapping_ids).first()
    alive = set(Member.objects.filter(pk__in=batch.member_ids).values_list("pk", flat=True))
    rows = [_row(batch, pk, mapping) for pk in batch.member_ids if pk in alive]
    error = None
    if mapping is None or not mapping.list_id:
        _fail_all(rows, "mapping_gone", "The mapping of this list was removed meanwhile.")
    elif mapping.problem:  # another batch found it
        _fail_all(rows, "list_problem", mapping.problem)
    else:
        error = _send(batch, channel, mapping, rows)
    again = [row for row in rows if row.is_pending]
    singles.finish(batch, [row for row in rows if not row.is_pending], again, error)


def _profiles_are_on_their_way(batch: SyncBatch) -> bool:
    """Planned before this batch, and perhaps with another worker: the list call needs their remote ids."""
    return SentProfile.objects.filter(
        extension_id=batch.extension_id, member_id__in=batch.member_ids, remote_id="", in_flight__isnull=False
    ).exists()


def _row(batch: SyncBatch, member_id: int, mapping: AudienceMapping | None) -> Row:
    action = "joined" if batch.kind == BatchKind.JOINS else "left"
    return Row(member_id=member_id, action=action, what=mapping.list_name if mapping else "")


def _fail_all(rows: Sequence[Row], code: str, words: str) -> None:
    for row in rows:
        if row.is_pending:
            row.fail(code, words)


def _send(
    batch: SyncBatch, channel: Channel, mapping: AudienceMapping, rows: list[Row]
) -> DestinationError | None:
    """Give the rows their verdicts; those left without one go again, when the returned failure says."""
    try:
        _resolve(batch, channel, rows)
        _call_in_parts(batch, channel, mapping, rows)
    except ListGone:
        _list_is_gone(batch, mapping, rows)
    except ListRefused as error:
        _fail_all(rows, error.code, mirror.mark_refused(mapping, error.words))
    except DestinationError as error:
        return error
    return None


def _list_is_gone(batch: SyncBatch, mapping: AudienceMapping, rows: Sequence[Row]) -> None:
    """A person must say what follows; but where the list is being unlinked, everybody is off it."""
    words = mirror.mark_gone(mapping)
    if mapping.ending_at is None or batch.kind == BatchKind.JOINS:
        _fail_all(rows, "list_gone", words)
    for row in rows:
        if row.is_pending:
            row.verdict, row.words = Verdict.SENT, "The list does not exist any more."


def _call_in_parts(batch: SyncBatch, channel: Channel, mapping: AudienceMapping, rows: Sequence[Row]) -> None:
    """One call for all known ids; what it refuses is looked up again, or halved where it names nobody."""
    change = channel.join_list if batch.kind == BatchKind.JOINS else channel.leave_list
    parts, looked_up, began = [list(rows)], set[int](), time.monotonic()
    while parts and time.monotonic() - began < singles.LONGEST:
        part = [row for row in parts.pop() if row.is_pending]
        if not part:
            continue
        claims.renew(batch)
        try:
            change(mapping.list_id, [row.remote_id for row in part])
        except RowsRejected as error:
            unknown = {text for refusal in error.refusals for text in refusal.identifiers}
            outdated = [row for row in part if row.remote_id in unknown]
            if outdated:
                _forget(batch, outdated)
                _fail_all([row for row in outdated if row.member_id in looked_up], "unknown_ids", UNKNOWN)
                looked_up |= {row.member_id for row in outdated}
                _resolve(batch, channel, outdated)
                parts.append(part)
            elif len(part) > 1:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                part[0].refuse(error.code, error.words)
                _raise_if_all_are_refused(rows, error)
        else:
            for row in part:
                row.verdict = Verdict.SENT


def _raise_if_all_are_refused(rows: Sequence[Row], error: RowsRejected) -> None:
    refused = sum(row.verdict == Verdict.REJECTED for row in rows)
    if refused == ALONE and not any(row.verdict == Verdict.SENT for row in rows):
        raise ListRefused(error.words) from error


def _forget(batch: SyncBatch, rows: Sequence[Row]) -> None:
    """Merged or deleted there: the id leads nowhere any more."""
    unknown = {row.remote_id for row in rows}
    SentProfile.objects.filter(extension_id=batch.extension_id, remote_id__in=unknown).update(remote_id="")
    for row in rows:
        row.remote_id = ""


def _resolve(batch: SyncBatch, channel: Channel, rows: list[Row]) -> None:
    """Give every row its remote id. Who is not there needs no leaving, and is sent again before joining."""
    waiting = [row for row in rows if row.is_pending and not row.remote_id]
    sent = SentProfile.objects.filter(
        extension_id=batch.extension_id, member_id__in=[row.member_id for row in waiting]
    )
    known = dict(sent.exclude(remote_id="").values_list("member_id", "remote_id"))
    for row in waiting:
        row.remote_id = known.get(row.member_id, "")
    unknown = [row for row in waiting if not row.remote_id]
    documents = desired.of(batch.extension, [row.member_id for row in unknown])
    size = registry.get(batch.extension.destination).limits.ids_per_read
    for start in range(0, len(unknown), size):
        part = unknown[start : start + size]
        claims.renew(batch)
        found = composing.find_remote(
            channel,
            [(row.member_id, documents[row.member_id][0]) for row in part if row.member_id in documents],
        )
        for row in part:
            row.remote_id = found[row.member_id].remote_id if row.member_id in found else ""
        _remember(batch, [row for row in part if row.remote_id])
    _without_profile(batch, [row for row in unknown if not row.remote_id])


def _remember(batch: SyncBatch, rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_sentprofile sp SET remote_id = there.remote_id
            FROM unnest(%s::bigint[], %s::text[]) AS there(member_id, remote_id)
            WHERE sp.extension_id = %s AND sp.member_id = there.member_id
            """,
            [[row.member_id for row in rows], [row.remote_id for row in rows], batch.extension_id],
        )


def _without_profile(batch: SyncBatch, rows: Sequence[Row]) -> None:
    if batch.kind == BatchKind.LEAVES:
        for row in rows:
            row.verdict, row.words = "sent", "Not there any more, so not on the list either."
        return
    for row in rows:
        row.fail(
            "profile_missing", "The profile is not there (yet); it is sent again, and joins the list then."
        )
    with connection.cursor() as cursor:
        # Only where we believed it to be there: a profile that is refused or on its way waits for that.
        cursor.execute(
            """
            UPDATE integrations_sentprofile SET payload = NULL, due_at = now()
            WHERE extension_id = %s AND member_id = ANY(%s::bigint[]) AND payload IS NOT NULL AND in_flight IS NULL
            """,
            [batch.extension_id, [row.member_id for row in rows]],
        )
