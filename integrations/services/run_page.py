"""What a page about a run shows: the same values for merchant pages and the admin."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from integrations.models import RunKind, SyncRow, SyncRun
from integrations.services import run_history, run_stories
from portal import charts


def live_context(found: SyncRun) -> dict[str, Any]:
    """Values of the top of a run's page, which changes while the run is open."""
    name = run_history.destination_name(found.extension)
    parts = run_stories.parts(found, name)
    return {
        "run": found,
        "name": name,
        "kind": run_stories.KINDS[RunKind(found.kind)],
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


def verdict_chips(found: SyncRun, name: str) -> list[tuple[str, str, int | None]]:
    present = [part for part in run_stories.parts(found, name) if part.count]
    return [("", "All", None), *((part.key, part.label, part.count) for part in present)]


def causes(found: SyncRun, name: str) -> list[tuple[run_history.Cause, str]]:
    """Reasons with the words of their verdict."""
    return [(cause, run_stories.verdict_words(cause.verdict, name)) for cause in run_history.causes(found)]
