from datetime import UTC, datetime

import pytest

from loyalty.models import Member
from loyalty.rules import member_input
from loyalty.rules.member_merge import BLANK

COUNTED = {
    "email": (" Ada@Example.COM ", {"email": "ada@example.com", "email_malformed": False}),
    "email cleared": ("", {"email": "", "email_malformed": False}),
    "phone": ("+44 7700 900123", {"phone": "+447700900123", "phone_malformed": False}),
    "phone as a number": (447700900123, {"phone": "447700900123", "phone_malformed": True}),
    "phone cleared": (None, {"phone": "", "phone_malformed": False}),
    "first_name": ("  Ada ", {"first_name": "Ada"}),
    "first_name cleared": (None, {"first_name": ""}),
    "zip": (90210, {"zip": "90210"}),
    "country": ("gb", {"country": "GB"}),
    "country by name": ("Great Britain", {"country": "Great Britain"}),
    "timezone": ("Europe/London", {"timezone": "Europe/London"}),
    "timezone cleared": ("", {"timezone": ""}),
    "birthday": ("1990-05-17", {"birth_year": 1990, "birth_month": 5, "birth_day": 17}),
    "birthday without year": ("--02-29", {"birth_year": None, "birth_month": 2, "birth_day": 29}),
    "birthday short": ("05-17", {"birth_year": None, "birth_month": 5, "birth_day": 17}),
    "birthday cleared": (None, {"birth_year": None, "birth_month": None, "birth_day": None}),
    "state": ("candidate", {"state": "candidate"}),
    "enrolled_at": (
        "2026-03-01T10:30:00.123456789+01:00",
        {"enrolled_at": datetime(2026, 3, 1, 9, 30, 0, 123456, UTC)},
    ),
    "enrolled_at cleared": ("", {"enrolled_at": None}),
    "referral_url": ("https://acme.example/r/1", {"referral_url": "https://acme.example/r/1"}),
    "attributes": ({"a": None, "b": [1, {"c": True}]}, {"attributes": {"a": None, "b": [1, {"c": True}]}}),
    "attributes cleared": (None, {"attributes": None}),
    "tags": (["a", " a ", "", "b"], {"tags": ["a", "b"]}),
    "tags cleared": (None, {"tags": []}),
}
REFUSED = {
    "email": [5, "x" * 255, "a\x00@b.co"],
    "first_name": [5, "x" * 151, "a\nb", "\ud800"],
    "timezone": ["Mars/Olympus"],
    "birthday": ["17.5.1990", "1990-02-30", "2023-02-29", "1066-01-01", "2200-01-01", 5],
    "state": ["gone", None, 5, []],
    "enrolled_at": ["2026-03-01", "2026-03-01T09:30:00", "2026-13-01T09:30:00Z", "0001-01-01T00:00:00+12:00", 5],
    "referral_url": ["javascript:alert(1)"],
    "attributes": [[], "x", {"$id": 1}, {"": 1}, {5: 1}, {"x" * 256: 1}, {"a": float("nan")}, {"a": "\x00"}],
    "tags": ["a", [5], ["x" * 101], [str(n) for n in range(201)]],
    "consent": [
        "granted", {"fax": "granted"}, {"email": "maybe"}, {"email": 5}, {"email": {"status": "granted", "how": "x"}},
        {"email": {"status": "granted", "given_at": "yesterday"}},
    ],
    "emial": ["ada@example.com"],
}  # fmt: skip


def parsed(**fields):
    return member_input.parse({"external_id": "1", **fields})


@pytest.mark.parametrize("case", COUNTED)
def test_a_field_is_normalised(case):
    value, expected = COUNTED[case]
    item, errors, _ = parsed(**{case.split()[0]: value})
    assert errors == ()
    assert item.values == expected


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in REFUSED.items() for value in values]
)
def test_what_cannot_be_taken_refuses_the_member_and_names_the_field(key, value):
    item, errors, _ = parsed(**{key: value})
    assert item is None
    assert len(errors) == 1
    assert errors[0].startswith(f"{key}: ")


@pytest.mark.parametrize("external_id", [None, "", "  ", True, 1.5, "x" * 256, []])
def test_a_member_needs_an_id(external_id):
    item, errors, _ = member_input.parse({"external_id": external_id})
    assert item is None
    assert errors[0].startswith("external_id: ")


def test_an_id_may_be_a_number():
    assert member_input.parse({"external_id": 7210448301122})[0].external_id == "7210448301122"


def test_every_error_is_told_at_once():
    _, errors, _ = member_input.parse({"timezone": "x", "state": "y", "z": 1})
    assert len(errors) == 4


def test_what_is_no_object_is_refused():
    assert member_input.parse(["external_id"])[0] is None


@pytest.mark.parametrize(
    "address", ["ada", "ada@example", "a b@example.com", "ada@exämple.com", ".ada@example.com", "İ@x.co"]
)
def test_a_malformed_address_is_kept_and_flagged_with_a_warning(address):
    item, _, warnings = parsed(email=address)
    assert item.values["email"] == address.lower()
    assert item.values["email_malformed"] is True
    assert "never sent" in warnings[0]


@pytest.mark.parametrize(
    ("fields", "region", "expected"),
    [
        ({"phone": "07700 900123", "country": "GB"}, "", "+447700900123"),
        ({"phone": "07700 900123", "country": "United Kingdom"}, "gb", "+447700900123"),
        ({"phone": "+447700900123"}, "", "+447700900123"),
        ({"phone": "(201) 555-0123"}, "US", "+12015550123"),
        ({"phone": "+1 201 555 0123", "country": "GB"}, "", "+12015550123"),
    ],
)
def test_a_phone_number_is_read_in_its_country(fields, region, expected):
    item, errors, warnings = member_input.parse({"external_id": "1", **fields}, default_region=region)
    assert (item.values["phone"], item.values["phone_malformed"]) == (expected, False)
    assert errors == warnings == ()


@pytest.mark.parametrize(("phone", "region"), [("07700 900123", ""), ("12", "GB"), ("call me", "GB")])
def test_a_malformed_number_is_kept_and_flagged_with_a_warning(phone, region):
    item, _, warnings = member_input.parse({"external_id": "1", "phone": phone}, default_region=region)
    assert (item.values["phone"], item.values["phone_malformed"]) == (phone, True)
    assert ("country code" in warnings[0]) == (not region)


def test_consent_is_short_or_in_full():
    full = {"status": "revoked", "source": "till", "text_version": "3", "given_at": "2026-03-01T09:30:00Z"}
    item, _, _ = parsed(consent={"email": "granted", "sms": full})
    email, sms = item.consents
    assert (email.channel, email.status, email.given_at) == ("email", "granted", None)
    assert (sms.source, sms.text_version, sms.given_at) == (
        "till",
        "3",
        datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    )
    assert parsed(consent={"email": None})[0].consents == ()


def test_limits_are_those_of_the_columns():
    columns = {name: Member._meta.get_field(name).max_length for name in member_input.TEXT_LIMITS}
    assert columns == member_input.TEXT_LIMITS


def test_a_blank_member_is_the_models_default():
    assert {name: Member._meta.get_field(name).get_default() for name in BLANK} == BLANK
