"""The data dictionary as CSV that a spreadsheet cannot be made to execute."""

import csv
import io
from collections.abc import Iterator

from integrations.services.data_dictionary import Dictionary, Entry
from integrations.services.failed_rows_csv import safe
from portal import wording

HEAD = ("what", "of", "name", "type", "meaning", "sample", "who wins", "tag")


def text(dictionary: Dictionary) -> str:
    """The whole file, one name a line, with a mark that tells spreadsheets its encoding."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(HEAD)
    for row in _rows(dictionary):
        writer.writerow([safe(cell) for cell in row])
    return "\ufeff" + file.getvalue()


def _rows(dictionary: Dictionary) -> Iterator[tuple[str, ...]]:
    for entry in dictionary.properties:
        yield _row("property", "profile", entry)
    for entry in dictionary.attributes:
        yield _row("attribute", "profile", entry)
    for event in dictionary.events:
        for entry in event.entries:
            yield _row("event property", event.told.metric, entry)
    for row in dictionary.lists:
        yield "list", "", row.list_name, "", f"Members of the audience {row.audience.name}", "", "", ""


def _row(what: str, of: str, entry: Entry) -> tuple[str, ...]:
    sample = "" if entry.sample is None else _plain(entry.sample)
    return what, of, entry.name, entry.type, entry.help, sample, entry.policy, entry.tag


def _plain(sample: object) -> str:
    """Numbers without thousands separators, so that a spreadsheet takes them as numbers."""
    is_number = isinstance(sample, int | float) and not isinstance(sample, bool)
    return str(sample) if is_number else wording.value(sample)
