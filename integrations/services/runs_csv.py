"""The list of runs, for a spreadsheet."""

from collections.abc import Iterator

from django.db.models import QuerySet

from integrations.models import SyncRun
from integrations.services import run_history, run_stories
from portal import spreadsheet

HEAD = ("run", "began (UTC)", "kind", "status", "result", "by", "reason", "re-run of", "took (s)",
        "arrived", "unchanged", "refused", "failed", "held")  # fmt: skip


def lines(runs: QuerySet[SyncRun], *, with_tenant: bool = False) -> Iterator[str]:
    """`with_tenant`: the file holds runs of several programmes, and says whose each is."""
    rows = (
        (
            *([run.extension.tenant.name] if with_tenant else []),
            run.pk,
            f"{run.created_at:%Y-%m-%d %H:%M:%S}",
            run_stories.kind(run),
            run.get_status_display(),
            run_stories.sentence(run, run_history.destination_name(run.extension)),
            run.started_by.email if run.started_by else run.get_trigger_display(),
            run.reason,
            run.parent_id,
            run.seconds,
            run.sent,
            run.unchanged,
            run.rejected,
            run.failed,
            run.held,
        )
        for run in runs.iterator(chunk_size=500)
    )
    return spreadsheet.lines(("programme", *HEAD) if with_tenant else HEAD, rows)
