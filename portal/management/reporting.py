"""What `sync` and `rerun` have in common: the options to wait, and how runs are told."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Collection, Sequence
from typing import Any

from django.core.management.base import BaseCommand

from integrations.models import RunStatus, SyncRun
from integrations.services import following, run_history, run_stories

INTERRUPTED = 130


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--wait", action="store_true", help="until the run has settled, with progress on stderr"
    )
    parser.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="with --wait: stop waiting then (exit status 1)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ArgumentTypeError("must be a number of seconds above 0")
    return seconds


def finish(
    command: BaseCommand,
    runs: Sequence[SyncRun],
    options: dict[str, Any],
    *,
    failed: bool,
    unproven: Collection[int] = (),
) -> None:
    """Wait where that is asked for, tell the runs, and end with status 1 where not all went well.

    `unproven` are runs of connections that could not be checked before: one that had nothing to send
    is no success then, unless the connection can be reached by now.
    """
    runs = list(runs)
    is_well = not failed
    if options["wait"] and runs:
        try:
            followed = following.follow(runs, say=command.stderr.write, timeout=options["timeout"])
        except KeyboardInterrupt:
            command.stderr.write("Stopped waiting. The run goes on in the background.")
            raise SystemExit(INTERRUPTED) from None
        runs = [one.run for one in followed]
        is_well = is_well and all(run.status == RunStatus.SUCCEEDED for run in runs)
        for run in runs:
            objection = following.objection(run) if run.pk in unproven else ""
            if objection:
                command.stderr.write(objection)
                is_well = False
    if options["json"]:
        command.stdout.write(json.dumps({"runs": [shown(run) for run in runs]}))
    else:
        for run in runs:
            command.stdout.write(line(run))
    if not is_well:
        raise SystemExit(1)


def shown(run: SyncRun) -> dict[str, object]:
    """A run as other people's scripts read it: these names stay."""
    return {
        "id": run.pk,
        "kind": run.kind,
        "status": run.status,
        "counts": run.counts,
        "calls": run.calls,
        "seconds": run.seconds,
    }


def line(run: SyncRun) -> str:
    status = run.get_status_display().lower()
    words = run_stories.sentence(run, run_history.destination_name(run.extension))
    note = f" {run.note}" if run.note else ""
    return f"run #{run.pk} ({run.get_kind_display()}, {run.extension}) {status}: {words}{note}"
