"""A file is read whatever wrote it."""

import pytest

from loyalty.importing import csv_files
from loyalty.importing.csv_files import UnreadableFile

TEXT = "external_id,first_name\na,Zoë\nb,Bo\n"


def read(tmp_path, content: bytes):
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    file = csv_files.inspect(path)
    with file.rows() as rows:
        return file, list(rows)


@pytest.mark.parametrize(
    ("content", "is_warned"),
    [
        (TEXT.encode(), False),
        (TEXT.encode("utf-8-sig"), False),
        (TEXT.encode("utf-16"), False),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), False),
        (TEXT.encode("latin-1"), True),
        (TEXT.replace(",", ";").encode(), False),
        (TEXT.replace(",", "\t").encode(), False),
        (TEXT.replace("\n", "\r\n").encode(), False),
        (TEXT.rstrip().encode(), False),
    ],
)
def test_encodings_delimiters_and_line_ends(tmp_path, content, is_warned):
    file, rows = read(tmp_path, content)
    assert file.header == ["external_id", "first_name"]
    assert rows == [(2, ["a", "Zoë"]), (3, ["b", "Bo"])]
    assert bool(file.warnings) is is_warned


def test_windows_signs_are_read_as_windows_writes_them(tmp_path):
    _, rows = read(tmp_path, "external_id,n\na,“x” €\n".encode("cp1252"))
    assert rows == [(2, ["a", "“x” €"])]


def test_line_numbers_count_breaks_inside_quotation_marks(tmp_path):
    _, rows = read(tmp_path, b'external_id,n\n\na,"1\n2\n3"\nb,x\n')
    assert [line for line, _ in rows] == [3, 6]


def test_a_delimiter_inside_quotation_marks_does_not_mislead(tmp_path):
    file, _ = read(tmp_path, b'"external_id;a;b;c",email\n')
    assert file.delimiter == ","


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b" , ,\n", b'external_id\n"a', b'external_id\n"a"b\n', b"external_id\n" + b"x" * 2_000_000],
)
def test_what_is_no_csv_is_said_to_be_none(tmp_path, content):
    with pytest.raises(UnreadableFile):
        read(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UnreadableFile, match="No such file"):
        csv_files.inspect(tmp_path / "none.csv")
