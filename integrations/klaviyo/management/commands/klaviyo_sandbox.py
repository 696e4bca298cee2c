"""`manage.py klaviyo_sandbox`: a practice Klaviyo on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from typing_extensions import override

from integrations.klaviyo.sandbox import __main__ as sandbox


class Command(BaseCommand):
    help = "Run a practice Klaviyo: accepts what the portal sends, shows it, sends nothing anywhere."
    requires_system_checks = ()  # it needs neither the database nor the portal's settings

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        sandbox.add_arguments(parser, Path(settings.DATA_DIR) / "sandbox" / "klaviyo.sqlite3")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        sandbox.run(sandbox.options_from(options))
