"""The rows of a run that did not arrive, as CSV that a spreadsheet cannot be made to execute."""

import csv
from collections.abc import Iterator
from typing import Any

from integrations.models import SyncRun
from integrations.services import run_history
from integrations.services.run_stories import verdict_words

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
)
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(value: Any) -> str:
    """Text that begins like a formula gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(STARTS_FORMULA) else text


class _Line:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines(run: SyncRun) -> Iterator[str]:
    writer = csv.writer(_Line())
    name = run_history.destination_name(run.extension)
    yield "\ufeff" + str(writer.writerow(HEAD))
    for row in run_history.failed_rows(run):
        member = row.member
        cells = (
            row.pk,
            f"{row.created_at:%Y-%m-%d %H:%M:%S}",
            member.external_id,
            member.email,
            member.phone,
            verdict_words(row.verdict, name),
            row.code,
            row.words,
            row.what,
            f"{row.healed_at:%Y-%m-%d %H:%M:%S}" if row.healed_at else "",
        )
        yield str(writer.writerow([safe(cell) for cell in cells]))
