"""The short way of reading a row says what the whole reading says, or nothing."""

import phonenumbers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loyalty.importing import own_columns
from loyalty.importing.merge import _FRESH, _MERGED
from loyalty.importing.reports import Report
from loyalty.importing.rows import RowReader
from loyalty.rules import e164
from loyalty.rules.member_merge import COLUMNS

HEADER = [
    "external_id", "email", "phone", "first_name", "last_name", "city", "country", "zip", "timezone", "birthday",
    "state", "enrolled_at", "tags", "referral_url", "locale", "attributes.a", "attributes.n:number",
    "attributes.j:json", "consent.email", "points_balance",
]  # fmt: skip
READER = RowReader(own_columns.columns(HEADER, False))
SAMPLES = [
    "", " ", "a", " a ", "\\N", "\\", "a\\b", '"', "é", "\x00", "\n", "a\tb", "x" * 300, "\xa0", "a@b.co", "A@B.CO",
    "@", "+447911123456", "+4407911123456", "+12", "07911 123456", "GB", "gb", "1990-05-17", "05-17", "1990-13-01",
    "member", "MEMBER", "2024-01-01T00:00:00Z", "2024-01-01", "x, y;z", "https://x.y/z", "Europe/London", "5", "5.0",
    "1e3", "-0", "null", "[1]", '{"k": "\\u0000"}', "granted", "Revoked", "0", "12.00", "99999999999999999999",
]  # fmt: skip
cells = st.sampled_from(SAMPLES) | st.text(max_size=10)


@settings(max_examples=600, deadline=None)
@given(row=st.lists(cells, min_size=len(HEADER), max_size=len(HEADER)))
@example(row=["a"] + [""] * (len(HEADER) - 1))
def test_both_ways_agree(row):
    row = ["id-1", *row[1:]] if row[0] in ("", " ") else row
    short = READER._plainly(row)
    if short is None:
        return
    report = Report("x")
    assert READER._wholly(2, row, report) == short
    assert not report.refused and not report.warnings


@settings(max_examples=300, deadline=None)
@given(place=st.integers(1, len(HEADER) - 1), cell=cells)
def test_both_ways_agree_on_a_single_cell(place, cell):
    row = ["id-1"] + [""] * (len(HEADER) - 1)
    row[place] = cell
    short = READER._plainly(row)
    if short is not None:
        assert READER._wholly(2, row, Report("x")) == short


@given(number=st.from_regex(r"\+[1-9][0-9]{3,15}", fullmatch=True))
def test_a_plain_number_is_one_that_the_library_would_leave_alone(number):
    if not e164.is_plain(number):
        return
    for region in (None, "US"):
        read = phonenumbers.parse(number, region)
        assert phonenumbers.is_possible_number(read)
        assert phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164) == number


def test_usual_numbers_take_the_short_way():
    for number in ("+447911123456", "+12025550123", "+4915112345678", "+33612345678", "+37061234567"):
        assert e164.is_plain(number), number


def test_every_column_that_can_be_told_is_merged():
    assert set(_MERGED) == set(COLUMNS) == set(_FRESH)
