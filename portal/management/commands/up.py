"""Everything on this machine with one command; what `make run` calls after installing."""

import contextlib
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.launcher import Launcher, Options


class Command(BaseCommand):
    help = "Starts database, web, worker and the Klaviyo sandbox with a demo tenant. Ctrl-C stops all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="an empty portal, for Klaviyo itself")
        parser.add_argument("--port", type=int, default=8000, help="of the portal (default 8000)")
        parser.add_argument("--sandbox-port", type=int, default=8400, help="of the sandbox (default 8400)")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Options(
            demo=not options["no_demo"], port=options["port"], sandbox_port=options["sandbox_port"]
        )
        Launcher(wanted, self._say).run()

    def _say(self, words: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone; what must be stopped is stopped
            self.stdout.write(words)
            self.stdout.flush()
