"""Forget history that is older than the settings say."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from integrations.services import history


class Command(BaseCommand):
    help = (
        "Deletes rows, runs, deliveries and events that are older than KEEP_…_DAYS; a schedule does it daily."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        gone = history.prune()
        if options["json"]:
            self.stdout.write(json.dumps(gone))
            return
        for name, count in gone.items():
            self.stdout.write(f"{name}: {count:,} deleted")
