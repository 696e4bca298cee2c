"""Many profiles in one job: packed, handed over, looked at until it ends, settled row by row."""

import logging
import random
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from integrations.errors import ListGone, RowsRejected, Temporary, TooLarge
from integrations.gateway import registry
from integrations.gateway.port import Channel
from integrations.gateway.values import BatchKind
from integrations.models import AudienceMapping, BatchState, SentProfile, SyncBatch, Verdict
from integrations.planning import desired, retries
from integrations.planning.manifest import Row
from integrations.services import bodies, claims, composing, mirror, proving, settle
from integrations.services.composing import Composed

logger = logging.getLogger(__name__)


def send(batch: SyncBatch, channel: Channel) -> None:
    """Pack (once), POST, keep the job's id. Refused rows are set aside and the rest is sent again."""
    _leave_broken_lists(batch)
    if batch.body is None:
        _pack(batch, channel)
    rows, lines = bodies.load_living(batch)
    while lines:
        claims.renew(batch)
        try:
            job_id = channel.submit(BatchKind.PROFILES, bodies.pack(batch, lines, _list_ids(batch)))
        except RowsRejected as error:
            lines = _without_refused(batch, rows, lines, error)
        except TooLarge as error:
            bodies.halve(batch, rows, lines, error)
            rows, lines = bodies.load(batch)
        except ListGone as error:
            _drop_gone_list(batch, channel, error)
        else:
            _accepted(batch, job_id)
            return
    settle.settle(batch, rows)


def _without_refused(
    batch: SyncBatch, rows: list[Row], lines: list[bytes], error: RowsRejected
) -> list[bytes]:
    rest = bodies.set_aside(rows, lines, error.refusals)
    if rest is None:
        bodies.halve(batch, rows, lines, error)
        rows[:], rest = bodies.load(batch)
        return rest
    bodies.store(batch, rows, rest)
    return rest


def _pack(batch: SyncBatch, channel: Channel) -> None:
    """Encode the rows; what does not fit one body, or needs a single call, goes to batches of its own."""
    composed = composing.compose(batch, channel, joins_lists=bool(batch.mapping_ids))
    destination = registry.get(batch.extension.destination)
    rows: list[Row] = []
    lines: list[bytes] = []
    singles: list[int] = []
    later: list[int] = []
    size = len(destination.pack(BatchKind.PROFILES, [], _list_ids(batch)))
    for item in composed:
        if item.write is None:
            rows.append(item.row)
            continue
        if item.write.clear:  # an import ignores null, so emptying an attribute needs a call of its own
            singles.append(item.row.member_id)
            continue
        line = _encode(item, destination.encode_profile(item.write), destination.limits.row_bytes)
        if later or (line and size + len(line) + 1 > destination.limits.body_bytes):
            later.append(item.row.member_id)
            continue
        rows.append(item.row)
        if line:
            lines.append(line)
            size += len(line) + 1
    with transaction.atomic():
        _split_off(batch, singles, BatchKind.SINGLES)
        _split_off(batch, later, BatchKind.PROFILES)
        moved = {*singles, *later}
        batch.member_ids = [pk for pk in batch.member_ids if pk not in moved]
        bodies.store(batch, rows, lines)


def _encode(item: Composed, line: bytes, row_bytes: int) -> bytes:
    if len(line) <= row_bytes:
        return line
    item.row.hold(desired.TOO_LARGE, desired.HOLD_WORDS[desired.TOO_LARGE])
    return b""


def _split_off(batch: SyncBatch, member_ids: list[int], kind: BatchKind) -> None:
    """A new batch for some members. Single calls take nobody onto a list: joins follow in their own batch."""
    if not member_ids:
        return
    is_single = kind is BatchKind.SINGLES
    other = SyncBatch.objects.create(
        run_id=batch.run_id,
        extension_id=batch.extension_id,
        lane=batch.lane,
        kind=kind,
        mapping_ids=[] if is_single else batch.mapping_ids,
        member_ids=member_ids,
        rows=len(member_ids),
    )
    claims.hand_over(batch, other)
    if is_single and batch.mapping_ids:
        SentProfile.objects.filter(extension_id=batch.extension_id, member_id__in=member_ids).update(
            due_at=timezone.now()
        )


def _list_ids(batch: SyncBatch) -> list[str]:
    return sorted(AudienceMapping.objects.filter(pk__in=batch.mapping_ids).values_list("list_id", flat=True))


def _leave_broken_lists(batch: SyncBatch) -> None:
    """A list that another batch found gone is not joined, and nobody is taken to be on it.

    Nor is one that is being unlinked, unless an earlier attempt may have put people on it already.
    """
    usable = AudienceMapping.objects.filter(pk__in=batch.mapping_ids, problem="")
    if batch.body is None:
        usable = usable.filter(ending_at=None)
    _keep_mappings(batch, set(usable.values_list("pk", flat=True)))


def _keep_mappings(batch: SyncBatch, kept: set[int]) -> None:
    if kept >= set(batch.mapping_ids):
        return
    batch.mapping_ids = [pk for pk in batch.mapping_ids if pk in kept]
    if not claims.owned(batch).update(mapping_ids=batch.mapping_ids):
        raise claims.Lost(f"batch {batch.pk}")


def _drop_gone_list(batch: SyncBatch, channel: Channel, error: ListGone) -> None:
    """Find which of the batch's lists is gone, show it at its mapping, and send without it."""
    gone = []
    for mapping in AudienceMapping.objects.filter(pk__in=batch.mapping_ids, problem=""):
        try:
            channel.list_page(mapping.list_id)
        except ListGone:
            gone.append(mapping.pk)
            mirror.mark_gone(mapping)
    if not gone:
        raise Temporary(error.words, code=error.code) from error
    _keep_mappings(batch, set(batch.mapping_ids) - set(gone))


@transaction.atomic
def _accepted(batch: SyncBatch, job_id: str) -> None:
    """The job's id before anything else: a restart settles rather than sends again."""
    now = timezone.now()
    batch.state = BatchState.ACCEPTED
    kept = claims.owned(batch).update(
        state=batch.state,
        job_id=job_id,
        accepted_at=now,
        owner=None,
        lease_until=None,
        not_before=now + timedelta(seconds=retries.poll_delay(0)),
        words="",
        code="",
    )
    if not kept:
        raise claims.Lost(f"batch {batch.pk}")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_syncrun SET accepted = accepted + b.rows, progress_at = now() "
            "FROM integrations_syncbatch b WHERE b.id = %s AND integrations_syncrun.id = b.run_id",
            [batch.pk],
        )


# After the hand-over --------------------------------------------------------------------------------


def is_overdue(batch: SyncBatch) -> bool:
    limit = timedelta(hours=settings.POLL_DEADLINE_HOURS)
    return batch.accepted_at is not None and timezone.now() - batch.accepted_at > limit


def look(batch: SyncBatch, channel: Channel) -> None:
    """One look at the job; when it has ended, read every refusal and settle."""
    state = channel.poll(batch.job_id)
    if state.is_cancelled:
        _send_again(batch)
        return
    if not state.is_done:
        if is_overdue(batch):
            raise Temporary("The job does not end.", code="job_overdue")
        _look_later(batch)
        return
    claims.renew(batch)
    rows, _ = bodies.load(batch)
    passing = _apply(batch, rows, channel, state.failed)
    with transaction.atomic():
        settle.settle(batch, rows)
        _go_again(batch, rows, passing)


def _look_later(batch: SyncBatch) -> None:
    claims.owned(batch).update(
        owner=None,
        lease_until=None,
        polls=batch.polls + 1,
        not_before=timezone.now() + timedelta(seconds=retries.poll_delay(batch.polls + 1)),
    )


def _send_again(batch: SyncBatch) -> None:
    """A cancelled job did nothing that we can rely on: the same body goes again, as a new attempt."""
    logger.warning("job %s of batch %s was cancelled there, sending again", batch.job_id, batch.pk)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_syncrun SET accepted = greatest(accepted - %s, 0) WHERE id = %s",
            [batch.rows, batch.run_id],
        )
        if not claims.owned(batch).update(state=BatchState.SENDING, job_id="", accepted_at=None):
            raise claims.Lost(f"batch {batch.pk}")
    batch.state, batch.accepted_at = BatchState.SENDING, None
    raise Temporary("The destination cancelled the job.", code="job_cancelled")


def _apply(batch: SyncBatch, rows: list[Row], channel: Channel, failed: int) -> list[Row]:
    """Tie each refusal to its row; return those that met a passing trouble of the destination.

    Where a refusal cannot be tied, nobody is believed to have arrived without being found there.
    """
    pending = [row for row in rows if row.is_pending]
    by_name = {
        text: row for row in pending for text in (row.phone, row.email, row.external_id.lower()) if text
    }
    untied, passing = [], []
    for refusal in channel.refusals(batch.job_id):
        named = [by_name[text.lower()] for text in refusal.identifiers if text and text.lower() in by_name]
        if not named and refusal.index is not None and 0 <= refusal.index < len(pending):
            named = [pending[refusal.index]]
        if not named:
            untied.append(refusal)
        elif refusal.permanent:
            named[0].refuse(refusal.code, refusal.words)
        elif named[0].is_pending:
            named[0].fail(refusal.code, refusal.words)
            passing.append(named[0])
    if untied or failed > sum(not row.is_pending for row in pending):
        batch.code = "untied_refusals"
        batch.words = (
            f"The job reports {failed} refused rows, and {len(untied)} could not be tied to a member. "
            "Its people were read back."
        )
        logger.error("batch %s: %s %s", batch.pk, batch.words, [refusal.words for refusal in untied[:5]])
        proving.prove(batch, rows, channel)
    return [row for row in passing if row.verdict == Verdict.FAILED]


def _go_again(batch: SyncBatch, rows: list[Row], passing: list[Row]) -> None:
    """Who met a passing trouble is due again, ever later and not for ever; who is not there is new again."""
    gone = [row.member_id for row in rows if row.code == proving.NOT_THERE]
    sent = SentProfile.objects.filter(extension_id=batch.extension_id)
    sent.filter(member_id__in=gone).update(payload=None)
    now = timezone.now()
    tried = sent.filter(
        member_id__in=[row.member_id for row in passing],
        in_flight=None,
        failures__lt=settings.BATCH_ATTEMPTS,
    )
    for profile in tried.only("failures"):
        after = timedelta(seconds=retries.backoff(profile.failures + 1, random.random()))
        profile.failures, profile.due_at, profile.not_before = profile.failures + 1, now, now + after
        profile.save(update_fields=["failures", "due_at", "not_before"])
