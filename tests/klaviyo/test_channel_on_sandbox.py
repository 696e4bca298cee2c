"""The channel against Klaviyo's stand-in: what tests/contract cannot ask of every destination."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from integrations import errors
from integrations.gateway.values import BatchKind, Credentials, ProfileWrite
from integrations.klaviyo import conf, payloads
from integrations.klaviyo.client import KlaviyoChannel
from integrations.klaviyo.limits import SCOPES
from portal.tenancy.secrets import Secret
from tests.klaviyo.samples import event, profile
from tests.klaviyo.sandbox_process import SandboxAccount, SandboxProcess
from tests.klaviyo.test_channel import OpenGate


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def account(sandbox: SandboxProcess, request: pytest.FixtureRequest) -> SandboxAccount:
    return sandbox.account(f"channel-{abs(hash(request.node.name)):x}")


@pytest.fixture
def channel(sandbox: SandboxProcess, account: SandboxAccount) -> KlaviyoChannel:
    secret = Secret(account.key)
    return KlaviyoChannel(Credentials("private_key", secret, sandbox.url, "2026-07-15"), OpenGate())


def test_a_check_changes_nothing(channel: KlaviyoChannel, account: SandboxAccount) -> None:
    report = channel.check()
    assert report.is_practice and report.missing_scopes == ()
    state = account.state()
    assert account.profiles() == account.lists() == account.events() == account.jobs() == []
    assert state["calls"] == channel.calls and state["violations"] == []


@pytest.mark.parametrize("scope", SCOPES)
def test_a_check_names_each_missing_permission(
    channel: KlaviyoChannel, account: SandboxAccount, scope: str
) -> None:
    known = channel.check().account_id
    account.scopes([other for other in SCOPES if other != scope])
    report = channel.check()
    assert report.missing_scopes == (scope,)
    assert report.account_id == known


def test_no_body_of_ours_has_a_key_that_klaviyo_does_not_know(
    channel: KlaviyoChannel, account: SandboxAccount
) -> None:
    values = {"external_id": "M-1", "email": "ana+vip@acme.io", "phone": "+393331234567", "city": "Roma"}
    write = profile(values=values, unset=("Old",))
    made = channel.create_list("VIP").remote_id
    receipt = channel.write_profile(write)
    channel.write_profile(replace(write, clear=("last_name", "zip"), remote_id=receipt.remote_id))
    for body, kind in (
        (payloads.pack(BatchKind.PROFILES, [payloads.encode_profile(write)], [made]), BatchKind.PROFILES),
        (payloads.pack(BatchKind.EVENTS, [payloads.encode_event(event(history=True))]), BatchKind.EVENTS),
    ):
        channel.submit(kind, body)
    channel.send_event(event(profile=write, value=12.5, currency="EUR"))
    channel.join_list(made, [receipt.remote_id])
    channel.leave_list(made, [receipt.remote_id])
    assert len(channel.read_profiles("email", ["ana+vip@acme.io"])) == 1
    account.wait_for_jobs()
    channel.erase("remote_id", receipt.remote_id)
    assert account.stats()["violations"] == []


def test_a_spent_balance_is_seen_in_the_event(channel: KlaviyoChannel, account: SandboxAccount) -> None:
    channel.send_event(event(properties={"Points": -50, "Points Balance": 0}))
    account.wait(lambda found: found.events())
    (found,) = account.events()
    assert found["properties"]["Points Balance"] == "0"


def test_history_starts_no_flow(channel: KlaviyoChannel, account: SandboxAccount) -> None:
    account.flow("Thanks", metric="Points Earned")
    channel.send_event(event(uid="old", history=True))
    channel.submit(
        BatchKind.EVENTS,
        payloads.pack(BatchKind.EVENTS, [payloads.encode_event(event(uid="older", history=True))]),
    )
    channel.send_event(event(uid="new"))
    account.wait(lambda found: len(found.events()) == 3 and found.flow_log())
    assert len(account.flow_log()) == 1


def test_a_phone_that_klaviyo_ignores_is_told(channel: KlaviyoChannel) -> None:
    values = {"external_id": "M-1", "email": "ana@acme.io", "phone": "+39"}
    assert channel.write_profile(ProfileWrite(values)).ignored == ("phone",)


@pytest.mark.parametrize(
    ("kind", "plan", "expected"),
    [
        ("status", {"status": 500}, errors.Temporary),
        ("html_502", {}, errors.Temporary),
        ("reset", {}, errors.Temporary),
        ("revoked", {}, errors.AuthenticationError),
        ("scope_missing", {"scope": "profiles:write"}, errors.ScopeMissing),
        ("throttle", {"seconds": 3}, errors.RateLimited),
        ("broken_json", {}, errors.UnexpectedAnswer),
        ("timeout_after_commit", {"seconds": 2}, errors.Temporary),
        ("hang", {"seconds": 2}, errors.Temporary),
    ],
)
def test_trouble_becomes_its_class_and_passes(
    channel: KlaviyoChannel,
    account: SandboxAccount,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    plan: dict[str, Any],
    expected: type[Exception],
) -> None:
    monkeypatch.setattr(conf, "TIMEOUT", (1.0, 0.5))
    account.fault("POST /api/profile-import", kind, **plan)
    with pytest.raises(expected):
        channel.write_profile(profile())
    assert channel.write_profile(profile()).remote_id
    assert len(account.profiles()) == 1


@pytest.mark.django_db
def test_the_throttle_keeps_within_klaviyos_own_windows(sandbox: SandboxProcess) -> None:
    """Nine calls at 3 a second: fixed windows there, ours here, and none is refused."""
    account = sandbox.account("limited")
    account.limits(1)
    credentials = Credentials("private_key", Secret(account.key), sandbox.url, "2026-07-15", share=100)
    channel = KlaviyoChannel(credentials)
    for number in range(9):
        channel.erase("email", f"nobody{number}@acme.io")
    assert account.stats()["totals"]["throttled"] == 0


@pytest.mark.parametrize("call", [lambda one: one.poll("nothing"), lambda one: list(one.refusals("nothing"))])
def test_a_job_that_is_not_known_is_unexpected(
    channel: KlaviyoChannel, call: Callable[[KlaviyoChannel], object]
) -> None:
    with pytest.raises(errors.UnexpectedAnswer):
        call(channel)
