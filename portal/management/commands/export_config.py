"""Print a tenant as YAML that applies again unchanged."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from integrations.configuration import exporting
from portal.management.arguments import tenant_named


class Command(BaseCommand):
    help = "Prints a tenant as YAML for apply_config. Keys and passwords are named variables, never values."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name, such as acme")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(exporting.export(tenant_named(options["tenant"])), ending="")
