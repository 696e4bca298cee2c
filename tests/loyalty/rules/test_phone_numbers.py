import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.rules import contacts, e164


def full_reading(given):
    """What the library says, without the short way."""
    try:
        number = phonenumbers.parse(given, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@settings(max_examples=400, deadline=None)
@given(st.from_regex(r"\+[1-9][0-9]{5,15}", fullmatch=True))
def test_the_short_way_agrees_with_the_library(given):
    if e164.is_plain(given):
        assert full_reading(given) == given


@pytest.mark.parametrize(
    ("given", "is_plain"),
    [
        ("+447700900123", True),
        ("+12015550123", True),
        ("+80012345678", True),
        ("+4407700900123", False),
        ("+447700", False),
        ("+999123456789", False),
        ("07700900123", False),
    ],
)
def test_what_is_e164_already(given, is_plain):
    assert e164.is_plain(given) is is_plain


@pytest.mark.parametrize("given", ["+4477", "+44 7700 900123 000", "call me"])
def test_an_impossible_number_is_kept_as_given(given):
    assert contacts.phone(given, "GB") == (given, False)
