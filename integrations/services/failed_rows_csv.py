"""The rows of a run that did not arrive, for a spreadsheet."""

from collections.abc import Iterable, Iterator

from integrations.models import SyncRow, SyncRun
from integrations.services import run_history
from integrations.services.run_stories import verdict_words
from portal import spreadsheet
from portal.spreadsheet import safe

__all__ = ["lines", "safe"]

HEAD = (
    "row",
    "time (UTC)",
    "external id",
    "e-mail",
    "phone",
    "verdict",
    "code",
    "reason",
    "list or metric",
    "mended",
    "mended by run",
)


def lines(run: SyncRun) -> Iterator[str]:
    return lines_of(run_history.failed_rows(run), run_history.destination_name(run.extension))


def lines_of(found: Iterable[SyncRow], name: str) -> Iterator[str]:
    """`found` with their members; `name` is the destination's."""
    rows = (
        (
            row.pk,
            f"{row.created_at:%Y-%m-%d %H:%M:%S}",
            row.member.external_id,
            row.member.email,
            row.member.phone,
            verdict_words(row.verdict, name),
            row.code,
            row.words,
            row.what,
            f"{row.healed_at:%Y-%m-%d %H:%M:%S}" if row.healed_at else "",
            row.healed_by_id,
        )
        for row in found
    )
    return spreadsheet.lines(HEAD, rows)
