"""A CSV file as rows of text with their line numbers, whatever wrote it."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import _csv

DELIMITERS = ",;\t"
LONGEST_CELL = 1_000_000
_CHUNK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class UnreadableFile(ValueError):
    """The file is no CSV of members; the message says why and what to do."""


@dataclass(frozen=True)
class CsvFile:
    """How a file is to be read, and its first line."""

    path: Path
    encoding: str
    delimiter: str
    header: list[str]
    warnings: tuple[str, ...] = ()

    @contextmanager
    def rows(self) -> Iterator[Iterator[tuple[int, list[str]]]]:
        """The rows below the header, each with the number of its first line; empty lines are left out."""
        with _open(self.path, self.encoding) as text:
            yield self._numbered(csv.reader(text, delimiter=self.delimiter, strict=True))

    def _numbered(self, reader: "_csv.Reader") -> Iterator[tuple[int, list[str]]]:
        try:
            next(reader)
            line = reader.line_num + 1
            for row in reader:
                if row:
                    yield line, row
                line = reader.line_num + 1
        except (csv.Error, UnicodeError) as error:
            raise UnreadableFile(
                f"Line {reader.line_num} cannot be read: {error}. Is a quotation mark open or not doubled?"
            ) from error


def inspect(path: Path) -> CsvFile:
    """Find out encoding, delimiter and header. Reads the file once; holds little of it."""
    csv.field_size_limit(LONGEST_CELL)
    try:
        encoding, warnings = _encoding(path)
        with _open(path, encoding) as text:
            delimiter = _delimiter(text)
            text.seek(0)
            header = next(csv.reader(text, delimiter=delimiter), [])
    except (csv.Error, UnicodeError) as error:
        raise UnreadableFile(f"The first line cannot be read: {error}.") from error
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be opened: {error.strerror}.") from error
    if not any(cell.strip() for cell in header):
        raise UnreadableFile("The file is empty: its first line must name the columns.")
    return CsvFile(path, encoding, delimiter, header, warnings)


def _open(path: Path, encoding: str) -> TextIO:
    # newline="" as csv asks: line breaks inside quotation marks stay what they are.
    return path.open(encoding=encoding, newline="")


def _encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    with path.open("rb") as raw:
        start = raw.read(4)
        for bom, name in _BOMS:
            if start.startswith(bom):
                return name, ()
        raw.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := raw.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252" if _is_cp1252(path) else "latin-1", (
                "The file is not UTF-8; it was read as Latin-1 (Windows). Look at names with accents.",
            )
    return "utf-8", ()


def _is_cp1252(path: Path) -> bool:
    """Windows' form of Latin-1 leaves five bytes without meaning; a file that has them is older."""
    unknown = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
    with path.open("rb") as raw:
        while chunk := raw.read(_CHUNK):
            if len(chunk.translate(None, unknown)) != len(chunk):
                return False
    return True


def _delimiter(text: TextIO) -> str:
    """The sign that parts the first line into most cells; a comma where there is one cell."""
    first = text.readline()
    return max(DELIMITERS, key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
