"""Members in from a CSV file, with a report of every line that did not go in."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from loyalty.importing import importer
from loyalty.importing.csv_files import UnreadableFile
from loyalty.importing.reports import LineNote, Report
from portal.tenancy.models import Tenant

LINES_SHOWN = 100


class Command(BaseCommand):
    help = (
        "Creates and changes members from a CSV file whose columns are named as the API's fields "
        "(docs/import.md). Exit status: 0 all rows went in, 1 some were refused, 2 wrong use."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name, such as acme")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen, and change nothing"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--events", action="store_true", help="write what happened as history events")
        parser.add_argument(
            "--ignore-unknown", action="store_true", help="leave out columns that are not known"
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        tenant = _tenant(options["tenant"])
        try:
            report = importer.import_members(
                tenant,
                options["file"],
                dry_run=options["dry_run"],
                events=options["events"],
                ignore_unknown=options["ignore_unknown"],
            )
        except UnreadableFile as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            self._tell(report)
        if report.refused_count:
            raise SystemExit(1)

    def _tell(self, report: Report) -> None:
        for warning in report.file_warnings:
            self.stdout.write(f"Note: {warning}")
        self._tell_lines("Refused", report.refused, report.refused_count)
        self._tell_lines("Warning", report.warnings, report.warning_count)
        would = "Nothing was changed. It would be: " if report.is_dry_run else ""
        counts = (
            f"{would}{report.created:,} created, {report.updated:,} updated, {report.unchanged:,} unchanged, "
            f"{report.refused_count:,} refused, {report.warning_count:,} warnings"
        )
        more = f", {report.opening_balances:,} opening balances" if report.opening_balances else ""
        self.stdout.write(f"{counts}{more} ({report.rows:,} rows in {report.seconds:.1f} s).")

    def _tell_lines(self, word: str, notes: list[LineNote], count: int) -> None:
        for note in notes[:LINES_SHOWN]:
            self.stdout.write(
                f"{word}, line {note.line} ({note.external_id or 'no external_id'}): {note.reason}"
            )
        if count > LINES_SHOWN:
            self.stdout.write(f"… and {count - LINES_SHOWN:,} more; --json lists up to 10,000.")


def _tenant(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None:
        return tenant
    known = ", ".join(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:50]) or "none yet"
    raise CommandError(f"There is no tenant “{slug}”. Known tenants: {known}.", returncode=2)
