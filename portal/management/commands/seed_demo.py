"""Make the demo tenants and their log-ins; what is there already stays as it is."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from portal.demo import seeding
from portal.management.arguments import USAGE

SANDBOX_URL = "http://127.0.0.1:8400"


class Command(BaseCommand):
    help = "Makes two demo tenants with members, points and a practice Klaviyo. `up` runs it in the demo."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--yes", action="store_true", help="also outside the demo: it makes known passwords"
        )
        parser.add_argument("--sandbox-url", help=f"of the practice Klaviyo (default {SANDBOX_URL})")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEMO or options["yes"]):
            raise CommandError(
                "This makes log-ins whose password everybody knows. Add --yes if that is meant.",
                returncode=USAGE,
            )
        # `up` gives its children the practice Klaviyo's address as that of the API.
        usual = settings.KLAVIYO_API_URL if settings.DEMO else SANDBOX_URL
        for line in seeding.seed((options["sandbox_url"] or usual).rstrip("/")) or ["nothing to change"]:
            self.stdout.write(line)
