"""The channel asks the throttle, counts, blocks, pages and never tells secrets."""

import logging
import re
from typing import Any

import pytest
import responses
from responses import matchers

from integrations import errors
from integrations.gateway.buckets import Rate
from integrations.gateway.values import BatchKind, Credentials
from integrations.klaviyo import client
from integrations.klaviyo.client import KlaviyoChannel
from portal.tenancy.secrets import Secret
from tests.contract.reading import everyone_on
from tests.klaviyo.samples import error, event, profile
from tests.klaviyo.samples import errors as found

BASE = "https://a.klaviyo.com"


class OpenGate:
    """Grants every call and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Rate]] = []
        self.blocked: list[tuple[str, float]] = []

    def acquire(self, key: str, rate: Rate) -> float:
        self.asked.append((key, rate))
        return 0.0

    def block(self, key: str, seconds: float) -> None:
        self.blocked.append((key, seconds))


@pytest.fixture
def gate() -> OpenGate:
    return OpenGate()


@pytest.fixture
def channel(gate: OpenGate) -> KlaviyoChannel:
    secret = Secret("pk_acme_secret")
    return KlaviyoChannel(Credentials("private_key", secret, BASE, "2026-07-15", "AbC123", 80), gate)


def listed(*items: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"data": list(items), "links": {"next": following}}


@responses.activate
def test_a_call_asks_for_its_share_of_its_bucket(channel: KlaviyoChannel, gate: OpenGate) -> None:
    responses.post(f"{BASE}/api/events", status=202)
    channel.send_event(event())
    assert gate.asked == [("klaviyo:AbC123:private_key:POST /api/events", Rate(280, 2800))]
    assert channel.calls == 1


@responses.activate
def test_a_429_blocks_the_bucket_for_everybody(channel: KlaviyoChannel, gate: OpenGate) -> None:
    responses.post(f"{BASE}/api/events", status=429, headers={"Retry-After": "7"})
    with pytest.raises(errors.RateLimited):
        channel.send_event(event())
    assert gate.blocked == [("klaviyo:AbC123:private_key:POST /api/events", 7.0)]
    assert channel.calls == 1


@responses.activate
def test_no_slot_no_call(channel: KlaviyoChannel, gate: OpenGate, monkeypatch) -> None:
    def refuse(key: str, rate: Rate) -> float:
        raise errors.RateLimited("Used up.", seconds=9)

    monkeypatch.setattr(gate, "acquire", refuse)
    with pytest.raises(errors.RateLimited):
        channel.send_event(event())
    assert channel.calls == 0 and gate.blocked == []


def test_without_a_key_nothing_is_sent(gate: OpenGate) -> None:
    channel = KlaviyoChannel(Credentials("private_key", Secret(""), BASE, "2026-07-15"), gate)
    with pytest.raises(errors.AuthenticationError, match="no key"):
        channel.poll("j")
    assert channel.calls == 0


@responses.activate
def test_the_log_tells_no_secret_and_no_person(channel: KlaviyoChannel, caplog) -> None:
    caplog.set_level(logging.DEBUG, logger="integrations")
    responses.get(f"{BASE}/api/profiles", json=listed(), headers={"X-Klaviyo-Req-Id": "r1"})
    channel.read_profiles("email", ["ana@acme.io"])
    responses.get(f"{BASE}/api/profiles", body=ConnectionResetError())
    responses.post(f"{BASE}/api/profile-import", status=500, json=found(error()))
    with pytest.raises(errors.Temporary):
        channel.write_profile(profile())
    assert "GET /api/profiles: 200" in caplog.text and "r1" in caplog.text
    assert "POST /api/profile-import: 500" in caplog.text
    assert "secret" not in caplog.text and "ana" not in caplog.text


@responses.activate
def test_the_refusals_that_a_check_expects_are_no_news(channel: KlaviyoChannel, caplog) -> None:
    caplog.set_level(logging.INFO, logger="integrations")
    responses.get(re.compile(".*/api/accounts"), json=listed({"id": "ACME01", "attributes": {}}))
    responses.get(re.compile(".*/api/(profiles|lists)"), json=listed())
    responses.post(re.compile(".*"), status=400, json=found(error()))
    responses.patch(re.compile(".*"), status=404, json=found(error()))
    assert channel.check().missing_scopes == ()
    assert caplog.text == ""


@responses.activate
def test_a_call_without_an_answer_is_counted_and_logged(channel: KlaviyoChannel, caplog) -> None:
    caplog.set_level(logging.INFO, logger="integrations")
    responses.post(f"{BASE}/api/events", body=TimeoutError())
    with pytest.raises(TimeoutError):
        channel.send_event(event())
    assert channel.calls == 1 and "no answer" in caplog.text


@responses.activate
def test_pages_are_followed_to_the_end(channel: KlaviyoChannel) -> None:
    address = f"{BASE}/api/lists/L1/profiles"
    first = listed({"id": "A", "attributes": {"email": "a@b.io"}}, following=f"{address}?page%5Bcursor%5D=2")
    responses.get(
        address, json=listed({"id": "B"}), match=[matchers.query_param_matcher({"page[cursor]": "2"})]
    )
    responses.get(
        address,
        json=first,
        match=[matchers.query_param_matcher({"page[size]": "100"}, strict_match=False)],
    )
    assert [found.remote_id for found in everyone_on(channel, "L1")] == ["A", "B"]
    assert channel.calls == 2


@responses.activate
def test_a_page_elsewhere_is_not_fetched(channel: KlaviyoChannel) -> None:
    responses.get(f"{BASE}/api/lists", json=listed({"id": "L1"}, following="https://evil.example/api/lists"))
    with pytest.raises(errors.UnexpectedAnswer):
        list(channel.lists())
    assert len(responses.calls) == 1


@responses.activate
def test_lists_are_found_by_their_exact_name(channel: KlaviyoChannel) -> None:
    items = [{"id": "L1", "attributes": {"name": "VIP"}}, {"id": "L2", "attributes": {"name": "vip"}}]
    responses.get(f"{BASE}/api/lists", json=listed(*items))
    assert [found.remote_id for found in channel.lists("VIP")] == ["L1"]


@responses.activate
def test_nobody_to_join_or_leave_is_no_call(channel: KlaviyoChannel) -> None:
    channel.join_list("L1", [])
    channel.leave_list("L1", [])
    assert channel.read_profiles("email", []) == []
    assert channel.calls == 0


@pytest.mark.parametrize(("status", "body"), [(202, b""), (202, b"{}"), (204, b"")])
@responses.activate
def test_an_empty_answer_is_enough_where_none_is_due(
    channel: KlaviyoChannel, status: int, body: bytes
) -> None:
    responses.post(f"{BASE}/api/event-bulk-create-jobs", status=status, body=body)
    assert channel.submit(BatchKind.EVENTS, b"{}") == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data": {"type"', b'{"data": null}'])
@responses.activate
def test_a_job_without_an_id_is_not_taken_for_granted(channel: KlaviyoChannel, body: bytes) -> None:
    responses.post(f"{BASE}/api/profile-bulk-import-jobs", status=202, body=body)
    with pytest.raises(errors.UnexpectedAnswer):
        channel.submit(BatchKind.PROFILES, b"{}")


@responses.activate
def test_the_operator_is_warned_once_of_another_revision(
    channel: KlaviyoChannel, caplog, monkeypatch
) -> None:
    monkeypatch.setattr(client, "_warned", set())
    responses.post(f"{BASE}/api/events", status=202, headers={"X-Klaviyo-Api-Revision": "2025-01-15"})
    channel.send_event(event())
    channel.send_event(event())
    assert caplog.text.count("2025-01-15 instead of 2026-07-15") == 1


def account() -> dict[str, Any]:
    contact = {"organization_name": "Acme"}
    return listed({"id": "AbC123", "attributes": {"contact_information": contact, "test_account": True}})


def answer_all(status: int, **values: Any) -> None:
    responses.get(f"{BASE}/api/profiles", status=200, json=listed())
    responses.get(f"{BASE}/api/lists", status=200, json=listed())
    responses.patch(f"{BASE}/api/profiles/permission-check", status=status, **values)
    responses.patch(f"{BASE}/api/lists/permission-check", status=404, json=found(error()))
    responses.post(f"{BASE}/api/event-bulk-create-jobs", status=status, **values)
    responses.post(f"{BASE}/api/data-privacy-deletion-jobs", status=status, **values)


@responses.activate
def test_a_check_names_the_account_and_what_is_missing(channel: KlaviyoChannel) -> None:
    responses.get(f"{BASE}/api/accounts", json=account())
    answer_all(403, json=found(error("No.", code="permission_denied")))
    report = channel.check()
    assert (report.account_id, report.account_name, report.is_practice) == ("AbC123", "Acme", True)
    assert report.missing_scopes == ("profiles:write", "events:write", "data-privacy:write")


@pytest.mark.parametrize("status", [200, 400, 413, 415])
@responses.activate
def test_any_other_refusal_proves_the_permission(channel: KlaviyoChannel, status: int) -> None:
    responses.get(f"{BASE}/api/accounts", json=account())
    answer_all(status, json=found(error()))
    assert channel.check().missing_scopes == ()


@responses.activate
def test_a_check_without_accounts_read_still_names_the_account(channel: KlaviyoChannel) -> None:
    responses.get(f"{BASE}/api/accounts", status=403, json=found(error()), headers={"Cid": "AbC123"})
    answer_all(400, json=found(error()), headers={"Cid": "AbC123"})
    report = channel.check()
    assert (report.account_id, report.missing_scopes) == ("AbC123", ("accounts:read",))


@pytest.mark.parametrize(("status", "expected"), [(401, errors.AuthenticationError), (503, errors.Temporary)])
@responses.activate
def test_a_check_that_cannot_be_made_says_so(
    channel: KlaviyoChannel, status: int, expected: type[Exception]
) -> None:
    responses.get(f"{BASE}/api/accounts", status=status, json=found(error()))
    with pytest.raises(expected):
        channel.check()


@responses.activate
def test_trouble_in_a_probe_is_no_verdict_on_the_key(channel: KlaviyoChannel) -> None:
    responses.get(f"{BASE}/api/accounts", json=account())
    answer_all(503)
    with pytest.raises(errors.Temporary):
        channel.check()
