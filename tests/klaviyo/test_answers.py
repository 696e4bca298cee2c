"""Successful answers become values; anything else is said to be unreadable."""

from datetime import date

import pytest

from integrations.errors import UnexpectedAnswer
from integrations.gateway.values import JobState, RemoteProfile, WriteReceipt
from integrations.klaviyo import answers
from tests.klaviyo.samples import answer

TODAY = date(2026, 7, 20)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data":', b"\xff", b'"x"', b"[" * 100_000])
def test_a_body_that_is_no_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        answers.document(answer(200, body))


@pytest.mark.parametrize("data", [None, [], {"type": "profile"}, {"id": ""}])
def test_a_resource_without_an_id_is_unreadable(data: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        answers.resource(answer(200, {"data": data}))


@pytest.mark.parametrize("data", [None, {}, [1]])
def test_a_collection_that_is_none_is_unreadable(data: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        list(answers.resources(answer(200, {"data": data})))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"contact_information": {"organization_name": "Acme"}, "test_account": True}, ("A1", "Acme", True)),
        ({"contact_information": None}, ("A1", "A1", False)),
        (None, ("A1", "A1", False)),
    ],
)
def test_an_account_is_read(attributes: object, expected: object) -> None:
    assert answers.account(answer(200, {"data": [{"id": "A1", "attributes": attributes}]})) == expected


def test_no_account_is_unreadable() -> None:
    with pytest.raises(UnexpectedAnswer):
        answers.account(answer(200, {"data": []}))


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (201, "", WriteReceipt("01H", True)),
        (200, "phone_number", WriteReceipt("01H", False, ("phone",))),
        (200, "phone_number, other,", WriteReceipt("01H", False, ("phone", "other"))),
    ],
)
def test_a_receipt_tells_created_and_ignored(status: int, header: str, expected: WriteReceipt) -> None:
    given = answer(status, {"data": {"id": "01H"}}, **{"x-klaviyo-partial-failure": header})
    assert answers.receipt(given) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("queued", JobState(False, False, 5, 2)),
        ("processing", JobState(False, False, 5, 2)),
        ("complete", JobState(True, False, 5, 2)),
        ("cancelled", JobState(True, True, 5, 2)),
    ],
)
def test_a_job_is_read(status: str, expected: JobState) -> None:
    attributes = {"status": status, "total_count": 5, "failed_count": 2}
    assert answers.job_state(answer(200, {"data": {"id": "j", "attributes": attributes}})) == expected


def test_a_job_without_counts_is_read_and_an_unknown_state_is_not() -> None:
    given = {"data": {"id": "j", "attributes": {"status": "complete", "failed_count": None}}}
    assert answers.job_state(answer(200, given)) == JobState(True)
    with pytest.raises(UnexpectedAnswer, match="exploded"):
        answers.job_state(answer(200, {"data": {"id": "j", "attributes": {"status": "exploded"}}}))


@pytest.mark.parametrize(
    ("payload", "identifiers", "index"),
    [
        ({"email": "a@b.io", "external_id": "M"}, ("M", "a@b.io"), None),
        ({"type": "profile", "attributes": {"phone_number": "+39"}}, ("+39",), None),
        ({"data": {"attributes": {"email": "a@b.io"}}}, ("a@b.io",), None),
        ('{"email": "a@b.io"}', ("a@b.io",), None),
        ("not json", (), 3),
        ("[]", (), 3),
        (None, (), 3),
        ({}, (), 3),
    ],
)
def test_an_import_error_says_who(payload: object, identifiers: tuple[str, ...], index: int | None) -> None:
    attributes = {
        "code": "invalid",
        "detail": "Bad",
        "source": {"pointer": "/data/attributes/profiles/data/3"},
        "original_payload": payload,
    }
    (refusal,) = answers.import_errors(answer(200, {"data": [{"id": "e", "attributes": attributes}]}))
    assert (refusal.identifiers, refusal.index, refusal.permanent) == (identifiers, index, True)
    assert refusal.words == "Klaviyo refused this member: Bad."


def test_an_import_error_of_klaviyos_own_may_pass() -> None:
    document = {"data": [{"id": "e", "attributes": {"code": "internal_error"}}, {"id": "f"}]}
    first, second = answers.import_errors(answer(200, document))
    assert not first.permanent
    assert (second.code, second.permanent) == ("invalid", True)


def test_a_profile_comes_back_in_our_words() -> None:
    attributes = {
        "email": "a@b.io",
        "phone_number": "+39",
        "first_name": None,
        "location": {"city": "Roma", "timezone": "Europe/Rome", "latitude": 1},
        "properties": {"Points": 0},
    }
    assert answers.profile({"id": "01H", "attributes": attributes}) == RemoteProfile(
        "01H", {"email": "a@b.io", "phone": "+39", "city": "Roma", "timezone": "Europe/Rome"}, {"Points": 0}
    )
    assert answers.profile({"id": "01H"}) == RemoteProfile("01H", {}, {})


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, ""),
        ({"x-klaviyo-api-revision": "2026-07-15"}, ""),
        ({"x-klaviyo-api-revision": "2025-07-15"}, "instead of 2026-07-15"),
        ({"x-klaviyo-api-retirement-date": "2028-07-15"}, ""),
        ({"x-klaviyo-api-retirement-date": "2026-09-01"}, "retires"),
        ({"x-klaviyo-api-retirement-date": "2026-99-01"}, ""),
        ({"x-klaviyo-api-retirement-date": "never"}, ""),
    ],
)
def test_the_operator_hears_of_another_revision(headers: dict[str, str], words: str) -> None:
    found = answers.revision_warning(answer(200, None, **headers), "2026-07-15", TODAY)
    assert words in found and bool(words) == bool(found)
