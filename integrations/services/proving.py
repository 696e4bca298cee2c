"""A job refused rows without saying which: who of the others really arrived is read back.

Nobody counts as arrived on the word of such a job. Reading costs a call for a hundred people.
"""

from collections.abc import Sequence

from integrations.gateway import registry
from integrations.gateway.port import Channel
from integrations.gateway.values import IDENTIFIERS, RemoteProfile
from integrations.models import SyncBatch
from integrations.planning import merge
from integrations.planning.manifest import Row
from integrations.services import claims, composing

NOT_THERE = "not_there"
NOT_UPDATED = "not_updated"
WORDS = {
    NOT_THERE: "The destination refused a row of this job without naming it; this person is not there.",
    NOT_UPDATED: "The destination refused a row of this job without naming it; "
    "this person does not have the new values there.",
}


def prove(batch: SyncBatch, rows: Sequence[Row], channel: Channel) -> None:
    """Fail the pending rows that cannot be found there as they were sent. Raises DestinationError."""
    pending = [row for row in rows if row.is_pending]
    size = registry.get(batch.extension.destination).limits.ids_per_read
    for start in range(0, len(pending), size):
        claims.renew(batch)
        part = pending[start : start + size]
        found = composing.find_remote(channel, [(row.member_id, row.document or {}) for row in part])
        for row in part:
            profile = found.get(row.member_id)
            code = NOT_THERE if profile is None else "" if _has_arrived(row, profile) else NOT_UPDATED
            if code:
                row.fail(code, WORDS[code])


def _has_arrived(row: Row, profile: RemoteProfile) -> bool:
    """A row is written whole or not at all, so one value that only this job can have brought is enough."""
    if row.keeps_payload:
        return True
    there = merge.flatten({**profile.values, "properties": dict(profile.properties)})
    expected = (
        {key: after for key, (_, after) in row.changes.items()}
        if row.changes
        else {
            key: value
            for key, value in merge.flatten(row.document or {}).items()
            if key not in IDENTIFIERS and key not in (row.kept or {})
        }
    )
    return not expected or any(merge.same(there.get(key), value) for key, value in expected.items())
