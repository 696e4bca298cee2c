"""What a page about a run shows: the same values for merchant pages and the admin."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from integrations.models import SyncRow, SyncRun, Verdict
from integrations.services import run_history, run_stories
from portal import charts

COUNTED_UP_TO = 20_000  # rows of one run that a list of runs counts through


def live_context(found: SyncRun) -> dict[str, Any]:
    """Values of the top of a run's page, which changes while the run is open."""
    name = run_history.destination_name(found.extension)
    parts = run_stories.parts(found, name)
    return {
        "run": found,
        "name": name,
        "kind": run_stories.kind(found),
        "sentence": run_stories.sentence(found, name),
        "parts": parts,
        "segments": charts.stacked(parts),
        "progress": run_stories.progress(found, timezone.now()) if found.is_open else None,
        "tab_title": run_stories.tab_title(found),
    }


def readable(rows: Sequence[SyncRow], name: str) -> list[dict[str, Any]]:
    return [_row(row, name) for row in rows]


def _row(row: SyncRow, name: str) -> dict[str, Any]:
    return {
        "row": row,
        "words": run_stories.verdict_words(row.verdict, name),
        "changes": run_stories.changes(row.changes),
    }


def related(found: SyncRun, causes: Sequence[tuple[run_history.Cause, str]]) -> dict[str, Any]:
    """What became of the run since: who mended its rows, which runs did it again, whether any can be tried."""
    since = run_history.mending([found.pk]).get(found.pk, run_history.Mending())
    return {
        "mending": since,
        "reruns": [
            (run, run_stories.sentence(run, run_history.destination_name(run.extension)))
            for run in run_history.reruns_of(found)
        ],
        "has_failures": any(cause.verdict != Verdict.HELD for cause, _ in causes),
        "can_mend": bool(since.open or since.held),
    }


def listed(found: Sequence[SyncRun]) -> list[tuple[SyncRun, str, run_history.Mending | None]]:
    """Runs for a list: each with its sentence, and what became of its failures where they are few enough."""
    few = [run.pk for run in found if 0 < run.rejected + run.failed + run.held <= COUNTED_UP_TO]
    since = run_history.mending(few) if few else {}
    return [
        (run, run_stories.sentence(run, run_history.destination_name(run.extension)), since.get(run.pk))
        for run in found
    ]


def verdict_chips(found: SyncRun, name: str) -> list[tuple[str, str, int | None]]:
    present = [part for part in run_stories.parts(found, name) if part.count]
    return [("", "All", None), *((part.key, part.label, part.count) for part in present)]


def causes(found: SyncRun, name: str) -> list[tuple[run_history.Cause, str]]:
    """Reasons with the words of their verdict."""
    return [(cause, run_stories.verdict_words(cause.verdict, name)) for cause in run_history.causes(found)]
