"""Our values become Klaviyo's JSON in the right places."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from integrations.gateway.values import STANDARD_KEYS, BatchKind, ProfileWrite
from integrations.klaviyo import payloads
from tests.klaviyo.samples import ANA, event, profile


def test_every_standard_key_has_its_place() -> None:
    write = ProfileWrite(values={key: key for key in STANDARD_KEYS})
    assert json.loads(payloads.encode_profile(write))["attributes"] == {
        "external_id": "external_id",
        "email": "email",
        "phone_number": "phone",
        "first_name": "first_name",
        "last_name": "last_name",
        "locale": "locale",
        "location": {key: key for key in payloads.LOCATION},
    }


def test_a_single_write_clears_with_null() -> None:
    document = payloads.profile_document(profile(clear=("phone", "last_name", "city")))
    attributes = document["data"]["attributes"]
    assert attributes["phone_number"] is None
    assert attributes["last_name"] is None
    assert attributes["location"] == {"city": None}


def test_a_bulk_row_that_clears_is_refused() -> None:
    with pytest.raises(ValueError, match="by itself"):
        payloads.encode_profile(profile(clear=("phone",)))


@pytest.mark.parametrize("remote_id", ["", "01H"])
def test_the_remote_id_rides_in_single_writes_only(remote_id: str) -> None:
    write = profile(remote_id=remote_id)
    assert payloads.profile_document(write)["data"].get("id", "") == remote_id
    assert "id" not in json.loads(payloads.encode_profile(write))


def test_unset_stands_beside_the_attributes_of_a_profile() -> None:
    write = profile(unset=("Old Tier",))
    meta = {"patch_properties": {"unset": ["Old Tier"]}}
    assert json.loads(payloads.encode_profile(write))["meta"] == meta
    assert payloads.profile_document(write)["data"]["meta"] == meta


def test_unset_stands_within_the_attributes_in_a_single_event_and_beside_in_bulk() -> None:
    write = event(profile=profile(unset=("Old",)))
    meta = {"patch_properties": {"unset": ["Old"]}}
    single = payloads.event_document(write)["data"]["attributes"]["profile"]["data"]
    bulk = json.loads(payloads.encode_event(write))["attributes"]["profile"]["data"]
    assert single["attributes"]["meta"] == meta and "meta" not in single
    assert bulk["meta"] == meta and "meta" not in bulk["attributes"]


def test_profiles_keep_zero_false_and_empty() -> None:
    write = ProfileWrite(values=ANA.values, properties={"a": 0, "b": False, "c": ""})
    assert json.loads(payloads.encode_profile(write))["attributes"]["properties"] == {
        "a": 0,
        "b": False,
        "c": "",
    }


@pytest.mark.parametrize(
    ("given", "sent"),
    [(0, "0"), (0.0, "0"), (False, False), ("", ""), (5, 5), ("0", "0"), ([0], [0]), (True, True)],
)
def test_a_zero_in_an_event_is_sent_as_text(given: object, sent: object) -> None:
    document = payloads.event_document(event(properties={"x": given, "gone": None}))
    found = document["data"]["attributes"]["properties"]
    assert found == {"x": sent} and type(found["x"]) is type(sent)


def test_an_event_says_when_in_whole_seconds_of_utc() -> None:
    rome = timezone(timedelta(hours=2))
    document = payloads.event_document(event(occurred_at=datetime(2026, 7, 20, 12, 15, 30, 5, rome)))
    assert document["data"]["attributes"]["time"] == "2026-07-20T10:15:30Z"


def test_an_event_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        payloads.encode_event(event(occurred_at=datetime(2026, 7, 20)))


def test_history_is_marked_on_the_event_and_on_its_entry() -> None:
    entry = json.loads(payloads.encode_event(event(history=True)))["attributes"]
    assert entry["backfill"] is True
    assert entry["events"]["data"][0]["attributes"]["backfill"] is True
    assert payloads.event_document(event(history=True))["data"]["attributes"]["backfill"] is True
    assert b"backfill" not in payloads.encode_event(event())


def test_an_event_names_the_person_by_identifiers_before_the_remote_id() -> None:
    known = payloads.event_document(event(profile=profile(remote_id="01H")))["data"]["attributes"]["profile"]
    only = payloads.event_document(event(profile=ProfileWrite(values={}, remote_id="01H")))
    assert "id" not in known["data"]
    assert only["data"]["attributes"]["profile"]["data"]["id"] == "01H"


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        (None, "EUR", {}),
        (12.5, "EUR", {"value": 12.5, "value_currency": "EUR"}),
        (0, "", {"value": 0}),
    ],
)
def test_money_is_an_attribute_of_its_own(value: float | None, currency: str, expected: object) -> None:
    attributes = payloads.event_document(event(value=value, currency=currency))["data"]["attributes"]
    assert {key: attributes[key] for key in attributes if key.startswith("value")} == expected


def test_packing_keeps_rows_byte_for_byte_and_in_order() -> None:
    rows = [payloads.encode_profile(profile(properties={"Name": name})) for name in ("Zoë", "Ana")]
    body = payloads.pack(BatchKind.PROFILES, iter(rows), ["L1", "L2"])
    document = json.loads(body)["data"]
    assert b",".join(rows) in body and "Zoë".encode() in body
    assert document["type"] == "profile-bulk-import-job"
    assert [
        row["attributes"]["properties"]["Name"] for row in document["attributes"]["profiles"]["data"]
    ] == ["Zoë", "Ana"]
    assert document["relationships"] == {
        "lists": {"data": [{"type": "list", "id": "L1"}, {"type": "list", "id": "L2"}]}
    }
    assert body == payloads.pack(BatchKind.PROFILES, rows, ["L1", "L2"])


def test_packing_without_lists_names_none() -> None:
    assert "relationships" not in json.loads(payloads.pack(BatchKind.PROFILES, []))["data"]
    assert json.loads(payloads.pack(BatchKind.EVENTS, [b"{}"]))["data"]["attributes"] == {
        "events-bulk-create": {"data": [{}]}
    }


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        payloads.encode_profile(profile(properties={"x": float("nan")}))


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("remote_id", {"type": "profile", "attributes": {}, "id": "x"}),
        ("email", {"type": "profile", "attributes": {"email": "x"}}),
        ("phone", {"type": "profile", "attributes": {"phone_number": "x"}}),
    ],
)
def test_an_erasure_names_exactly_one_identifier(identifier: str, expected: object) -> None:
    document = payloads.erasure_document(identifier, "x")
    assert document["data"]["attributes"]["profile"]["data"] == expected
