"""A few profiles, one call each: the way of the live lane."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import random

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.errors import (
    AuthenticationError,
    ConfigurationError,
    DestinationError,
    IdentityConflict,
    ProfileGone,
    RateLimited,
    RowsRejected,
    ScopeMissing,
    TooLarge,
)
from integrations.gateway.port import Channel
from integrations.gateway.values import ProfileWrite, WriteReceipt
from integrations.models import BatchState, SyncBatch
from integrations.planning import desired, retries
from integrations.planning.manifest import Row
from integrations.services import claims, composing, settle
from integrations.services.composing import Composed

LONGEST = 25.0  # seconds in one task; the rest follows in the next
# A limit, the key: everybody who is left waits. Any other failure is that of its row.
STOPS_ALL = (RateLimited, AuthenticationError, ScopeMissing, ConfigurationError)
STREAK = 3  # failures in a row after which the destination itself is taken to be down


def send(batch: SyncBatch, channel: Channel) -> None:
    """Write each profile now. A failure of one does not hold the others; what is left goes again."""
    if batch.state == BatchState.PLANNED:
        batch.state = BatchState.SENDING
        claims.owned(batch).update(state=batch.state)
    composed = composing.compose(batch, channel, joins_lists=False)
    again, error = _write_all(batch, channel, composed)
    left = set(map(id, again))
    done = [item.row for item in composed if id(item.row) not in left]
    finish(batch, done, again, error)


def finish(
    batch: SyncBatch, done: Sequence[Row], again: Sequence[Row], error: DestinationError | None
) -> None:
    """Settle what is done and leave the rest in a batch of its own, to be sent later.

    Raises `error` when nothing could be done, so that the batch itself waits.
    """
    if again and not done and error is not None:
        raise error
    with transaction.atomic():
        if again:
            _leave(batch, again, error)
            batch.member_ids = [row.member_id for row in done]
            batch.delivery_ids = [row.delivery_id for row in done if row.delivery_id]
        settle.settle(batch, done)
    if error is not None and retries.decide(error, 1, 2, 0).needs_person:
        raise error


def _leave(batch: SyncBatch, again: Sequence[Row], error: DestinationError | None) -> None:
    """The next batch of what is left; it inherits the attempts that were really made."""
    attempts, seconds = 0, 0.0
    if error is not None:
        retry = retries.decide(error, batch.attempts, settings.BATCH_ATTEMPTS + 1, random())
        attempts, seconds = (batch.attempts if retry.counts else batch.attempts - 1), retry.after or 0.0
    other = SyncBatch.objects.create(
        run_id=batch.run_id,
        extension_id=batch.extension_id,
        lane=batch.lane,
        kind=batch.kind,
        mapping_ids=batch.mapping_ids,
        member_ids=[row.member_id for row in again],
        delivery_ids=[row.delivery_id for row in again if row.delivery_id],
        rows=len(again),
        attempts=max(0, attempts),
        not_before=timezone.now() + timedelta(seconds=seconds),
        code=error.code if error else "",
        words=error.words[:500] if error else "",
    )
    # What was read for this batch holds for the next: who was created meanwhile was created by us.
    SyncBatch.objects.filter(pk=other.pk).update(created_at=batch.created_at)
    claims.hand_over(batch, other)


def _write_all(
    batch: SyncBatch, channel: Channel, composed: Sequence[Composed]
) -> tuple[list[Row], DestinationError | None]:
    """Write one after the other; return the rows that must go again, and the failure that says when."""
    again: list[Row] = []
    failure: DestinationError | None = None
    streak, began = 0, time.monotonic()
    waiting = [item for item in composed if item.write is not None]
    for number, item in enumerate(waiting):
        if time.monotonic() - began > LONGEST:
            return again + [left.row for left in waiting[number:]], failure
        claims.renew(batch)
        try:
            _write_one(channel, item)
            streak = 0
        except STOPS_ALL as error:
            return again + [left.row for left in waiting[number:]], error
        except DestinationError as error:
            again.append(item.row)
            failure, streak = error, streak + 1
            if streak >= STREAK:
                return again + [left.row for left in waiting[number + 1 :]], failure
    return again, failure


def _write_one(channel: Channel, item: Composed) -> None:
    assert item.write is not None
    try:
        receipt = _write(channel, item.write, item.row)
    except RowsRejected as error:
        refusal = error.refusals[0] if error.refusals else error
        item.row.refuse(refusal.code, refusal.words)
        return
    except IdentityConflict as error:
        item.row.refuse(error.code, error.words)
        return
    except TooLarge:
        item.row.hold(desired.TOO_LARGE, desired.HOLD_WORDS[desired.TOO_LARGE])
        return
    item.row.remote_id = receipt.remote_id
    if item.row.created_by_us is None:
        item.row.created_by_us = receipt.created
    if receipt.ignored:
        item.row.code = "ignored"
        item.row.words = f"Arrived, but the destination ignored: {', '.join(receipt.ignored)}."


def _write(channel: Channel, write: ProfileWrite, row: Row) -> WriteReceipt:
    """Once more without the remote id where it is outdated."""
    try:
        return _write_where_it_is(channel, write, row)
    except ProfileGone:
        if not write.remote_id:
            raise
        row.remote_id = ""
        return _write_where_it_is(channel, replace(write, remote_id=""), row)


def _write_where_it_is(channel: Channel, write: ProfileWrite, row: Row) -> WriteReceipt:
    """One call, or two where the same person's profile exists under another id."""
    try:
        return channel.write_profile(write)
    except IdentityConflict as error:
        if not error.other_id or not _is_same_person(channel, error.other_id, row):
            raise
        return channel.write_profile(replace(write, remote_id=error.other_id))


def _is_same_person(channel: Channel, remote_id: str, row: Row) -> bool:
    """Never two people as one on a phone number alone: the e-mail or our own id must agree."""
    for other in channel.read_profiles("remote_id", [remote_id]):
        email = str(other.values.get("email") or "").lower()
        external_id = str(other.values.get("external_id") or "")
        if external_id and external_id != row.external_id:
            return False
        return bool((email and email == row.email) or (external_id and external_id == row.external_id))
    return False
