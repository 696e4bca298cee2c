"""The stored body of a batch: its encoded rows, from which the exact body is always the same.

Kept one row a line (encoded rows hold no line break), so that a refused row can be taken out without
encoding the others again.
"""

import zlib
from collections.abc import Sequence

from django.db import transaction

from integrations.errors import Refusal, RowsRejected, TooLarge
from integrations.gateway import registry
from integrations.gateway.values import BatchKind
from integrations.models import BatchState, SyncBatch
from integrations.planning import manifest
from integrations.planning.manifest import Row
from integrations.services import claims
from loyalty.models import Member


def store(batch: SyncBatch, rows: Sequence[Row], lines: Sequence[bytes]) -> None:
    """Keep what will be sent before it is sent. Raises claims.Lost."""
    batch.body = zlib.compress(b"\n".join(lines), 1)
    batch.manifest = manifest.dump(rows)
    batch.state = BatchState.SENDING
    kept = claims.owned(batch).update(
        body=batch.body,
        manifest=batch.manifest,
        state=batch.state,
        member_ids=batch.member_ids,
        delivery_ids=batch.delivery_ids,
        mapping_ids=batch.mapping_ids,
        rows=len(rows),
    )
    if not kept:
        raise claims.Lost(f"batch {batch.pk}")


def load(batch: SyncBatch) -> tuple[list[Row], list[bytes]]:
    """Rows and the encoded lines of those among them that are still pending, in the same order."""
    rows = manifest.load(batch.manifest)
    lines = zlib.decompress(bytes(batch.body or b"")).split(b"\n") if batch.body else []
    return rows, [line for line in lines if line]


def load_living(batch: SyncBatch) -> tuple[list[Row], list[bytes]]:
    """As `load`, to be sent: who was erased since the body was made is left out and forgotten here too."""
    rows, lines = load(batch)
    ids = [row.member_id for row in rows]
    alive = set(Member.objects.filter(pk__in=ids).values_list("pk", flat=True))
    if alive.issuperset(ids):
        return rows, lines
    pending = [row for row in rows if row.is_pending]
    lines = [line for row, line in zip(pending, lines, strict=True) if row.member_id in alive]
    rows = [row for row in rows if row.member_id in alive]
    store(batch, rows, lines)
    return rows, lines


def pack(batch: SyncBatch, lines: Sequence[bytes], list_ids: Sequence[str] = ()) -> bytes:
    destination = registry.get(batch.extension.destination)
    return destination.pack(BatchKind(batch.kind), lines, list_ids)


def set_aside(rows: Sequence[Row], lines: Sequence[bytes], refusals: Sequence[Refusal]) -> list[bytes] | None:
    """Give the named rows their verdict; return the lines of the others, or None when nobody was named."""
    pending = [row for row in rows if row.is_pending]
    named = {index: refusal for refusal in refusals if (index := index_of(pending, refusal)) is not None}
    if not named:
        return None
    for index, refusal in named.items():
        pending[index].refuse(refusal.code, refusal.words)
    return [line for index, line in enumerate(lines) if index not in named]


def index_of(pending: Sequence[Row], refusal: Refusal) -> int | None:
    """Which row is meant: by what names the person, the place in the body is only a hint."""
    for text in refusal.identifiers:
        for index, row in enumerate(pending):
            if text and text.lower() in (row.external_id.lower(), row.email, row.phone):
                return index
    if refusal.index is not None and 0 <= refusal.index < len(pending):
        return refusal.index
    return None


def halve(batch: SyncBatch, rows: list[Row], lines: list[bytes], error: RowsRejected | TooLarge) -> None:
    """Nobody was named: each half is tried alone, down to the single row that is refused.

    The first half stays in this batch, the second becomes one of its own.
    """
    pending = [row for row in rows if row.is_pending]
    if len(pending) == 1:
        pending[0].refuse(error.code, error.words)
        store(batch, rows, [])
        return
    middle = len(pending) // 2
    with transaction.atomic():
        second, moved = pending[middle:], set(map(id, pending[middle:]))
        other = SyncBatch(
            run_id=batch.run_id,
            extension_id=batch.extension_id,
            lane=batch.lane,
            kind=batch.kind,
            state=BatchState.SENDING,
            mapping_ids=batch.mapping_ids,
            member_ids=[row.member_id for row in second],
            delivery_ids=[row.delivery_id for row in second if row.delivery_id],
            body=zlib.compress(b"\n".join(lines[middle:]), 1),
            manifest=manifest.dump(second),
            rows=len(second),
        )
        other.save(force_insert=True)
        claims.hand_over(batch, other)
        rows[:] = [row for row in rows if id(row) not in moved]
        batch.member_ids = [row.member_id for row in rows]
        batch.delivery_ids = [row.delivery_id for row in rows if row.delivery_id]
        store(batch, rows, lines[:middle])
