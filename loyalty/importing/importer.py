"""A CSV of members goes in: in one transaction, so that a crash leaves nothing half-way."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import transaction

from loyalty.importing import csv_files, effects, formats, stage
from loyalty.importing.merge import merge
from loyalty.importing.reports import Report
from loyalty.importing.rows import RowReader
from portal.tenancy.models import Tenant


def import_members(
    tenant: Tenant, path: Path, *, dry_run: bool = False, events: bool = False, ignore_unknown: bool = False
) -> Report:
    """Create and change the members of a file; refused rows are reported and the others go in.

    A dry run does the same and takes it all back, so its figures are those of the real one. `events`
    writes what happened as history. Raises csv_files.UnreadableFile for a file that cannot be taken
    at all, with nothing changed.
    """
    began = time.monotonic()
    file = csv_files.inspect(path)
    form, columns = formats.detect(file.header, ignore_unknown=ignore_unknown)
    report = Report(form.name, is_dry_run=dry_run, file_warnings=list(file.warnings))
    reader = RowReader(columns)
    with transaction.atomic(), file.rows() as rows:
        _merge(tenant, reader, rows, report, events=events)
        transaction.set_rollback(dry_run)
    if not report.rows:
        report.file_warnings.append("The file has no rows below its heading.")
    report.refused.sort(key=lambda note: note.line)
    report.warnings.sort(key=lambda note: note.line)
    report.seconds = time.monotonic() - began
    return report


def _merge(
    tenant: Tenant,
    reader: RowReader,
    rows: Iterable[tuple[int, list[str]]],
    report: Report,
    *,
    events: bool,
) -> None:
    told = {name for name, _ in reader.stage}
    copied = stage.fill(reader.stage, _lines(reader, rows, report))
    report.rows = copied + report.refused_count
    report.replaced = stage.drop_replaced(report)
    stage.refuse_erased(tenant, report)
    merged = merge(tenant, told)
    report.created, report.updated = merged.created, merged.updated
    report.unchanged = report.rows - report.refused_count - report.replaced - merged.created - merged.updated
    effects.follow(tenant, told, report, events=events)


def _lines(reader: RowReader, rows: Iterable[tuple[int, list[str]]], report: Report) -> Iterator[str]:
    for line, cells in rows:
        told = reader.read(line, cells, report)
        if told is not None:
            yield told
