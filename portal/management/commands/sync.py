"""Start a run, and wait for its end where asked to."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from integrations.errors import ConfigurationError, DestinationError
from integrations.models import Extension, Health, RunKind, RunTrigger, SyncRun
from integrations.services import connections, sync
from portal.management import reporting
from portal.management.arguments import USAGE, extensions_of, tenant_named

KINDS = [kind for kind in RunKind.values if kind != RunKind.LIVE]


class Command(BaseCommand):
    help = (
        "Starts a run of every active connection, or of one. Exit status: 0 succeeded (without --wait: "
        "started), 1 partly failed, failed or waiting for a person, 2 wrong use."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name, such as acme")
        parser.add_argument("--extension", metavar="NAME", help="only this connection")
        parser.add_argument(
            "--kind",
            metavar="KIND",
            default=RunKind.CHANGES.value,
            help=f"{', '.join(KINDS)}; changes if left out",
        )
        parser.add_argument("--force", action="store_true", help="send again all that the kind looks at")
        reporting.add_arguments(parser)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["kind"] not in KINDS:
            raise CommandError(
                f"There is no kind of run “{options['kind']}”. Choose full, changes, audiences or events.",
                returncode=USAGE,
            )
        if options["kind"] == RunKind.PULL:
            raise CommandError(
                "Reading back (pull) is not part of this version. Choose full, changes, audiences or events.",
                returncode=USAGE,
            )
        tenant = tenant_named(options["tenant"])
        runs, unproven = [], set()
        extensions = extensions_of(tenant, options["extension"], active=True)
        for extension in extensions:
            run = self._start(extension, options)
            if run is not None:
                runs.append(run)
                if extension.health != Health.OK:
                    unproven.add(run.pk)
        failed = len(runs) < len(extensions)
        reporting.finish(self, runs, options, failed=failed, unproven=unproven)

    def _start(self, extension: Extension, options: dict[str, Any]) -> SyncRun | None:
        """The queued run; None after saying why there is none."""
        try:
            if options["wait"] and extension.is_active and not self._works(extension):
                return None
            return sync.start(
                extension, kind=options["kind"], trigger=RunTrigger.COMMAND, force=options["force"]
            )
        except ConfigurationError as error:
            self.stderr.write(error.words)
        return None

    def _works(self, extension: Extension) -> bool:
        """Ask the destination first where it is not known to work; only a person's part stops the run."""
        if extension.health == Health.OK:
            return True
        try:
            connections.check(extension)
        except DestinationError as error:
            self.stderr.write(f"{extension.name}: {error.words}")
            return extension.health != Health.ATTENTION
        if extension.health == Health.ATTENTION:
            self.stderr.write(f"{extension.name}: {extension.health_reason}")
            return False
        return True
