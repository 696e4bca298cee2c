"""Run a job again: all of it, or only what did not arrive."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from integrations.errors import ConfigurationError
from integrations.models import SyncRun
from integrations.services import reruns
from portal.management import reporting
from portal.management.arguments import USAGE

MOST = 2**63 - 1


class Command(BaseCommand):
    help = "Starts a re-run of a run. Exit status as that of sync; 0 also where nothing is left to run again."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run_id", type=int, metavar="RUN_ID")
        parser.add_argument("--failed-only", action="store_true", help="only the rows that did not arrive")
        parser.add_argument("--force", action="store_true", help="send all of it again, changed or not")
        reporting.add_arguments(parser)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        run_id = options["run_id"]
        run = (
            SyncRun.objects.select_related("extension__tenant").filter(pk=run_id).first()
            if 0 < run_id <= MOST
            else None
        )
        if run is None:
            raise CommandError(f"There is no run #{run_id}.", returncode=USAGE)
        try:
            again = reruns.create(run, failed_only=options["failed_only"], force=options["force"])
        except reruns.NothingToDo as error:
            # All is well: a script that re-runs "whatever failed" must not fail where nothing did.
            self.stderr.write(error.words)
            reporting.finish(self, [], options, failed=False)
            return
        except ConfigurationError as error:
            raise CommandError(error.words) from error
        reporting.finish(self, [again], options, failed=False)
