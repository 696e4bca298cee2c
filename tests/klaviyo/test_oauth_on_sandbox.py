"""A connection by OAuth over HTTP: allowed, used, refreshed in the middle of a run, removed, given back."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from integrations.errors import AuthenticationError, PortalNotAccepted
from integrations.gateway import throttle
from integrations.models import Extension, FieldMapping, Health
from integrations.services import connections, grants, sync
from portal.tenancy.models import User
from tests.factories import make_tenant, make_user
from tests.klaviyo.sandbox_process import SandboxAccount, SandboxProcess
from tests.services.builders import people
from tests.services.conftest import drain, step

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture(autouse=True)
def klaviyo(sandbox: SandboxProcess, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.KLAVIYO_API_URL = sandbox.url
    settings.KLAVIYO_AUTHORIZE_URL = f"{sandbox.url}/oauth/authorize"
    settings.KLAVIYO_TOKEN_URL = f"{sandbox.url}/oauth/token"
    settings.KLAVIYO_REVOKE_URL = f"{sandbox.url}/oauth/revoke"
    settings.KLAVIYO_CLIENT_ID, settings.KLAVIYO_CLIENT_SECRET = "sandbox-client", "sandbox-secret"
    monkeypatch.setattr(throttle, "acquire", lambda key, rate: 0.0)  # the sandbox has no limits either


@pytest.fixture
def account(sandbox: SandboxProcess, request: pytest.FixtureRequest) -> SandboxAccount:
    return sandbox.account(f"oauth-{abs(hash(request.node.name)):x}")


@pytest.fixture
def user() -> User:
    return make_user(make_tenant())


@pytest.fixture
def extension(user: User) -> Extension:
    tenant = user.memberships.get().tenant
    made = connections.create(tenant, destination="klaviyo", name="Klaviyo")
    FieldMapping.objects.create(extension=made, field="points_balance", property="Points")
    return made


@pytest.fixture
def connected(extension: Extension, user: User, account: SandboxAccount) -> Extension:
    made = grants.finish(user=user, **account.allow(grants.begin(extension, user)))
    connections.set_active(made, True)
    return made


def token_calls(account: SandboxAccount) -> int:
    return sum(line["path"] == "/oauth/token" for line in account.requests())


def test_what_was_allowed_is_connected_and_checked(connected: Extension, account: SandboxAccount) -> None:
    assert (connected.health, connected.missing_scopes) == (Health.OK, [])
    assert connected.account_id == account.state()["id"] and connected.is_practice
    (app,) = account.apps()
    assert sorted(app["scopes"].split()) == connected.granted_scopes


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({"decision": "deny"}, "was not allowed"), ({"role": "Analyst"}, "Owner, Admin or Manager")],
)
def test_a_refusal_there_is_told_here(
    extension, user, account, answer: dict[str, str], expected: str
) -> None:
    back = account.allow(grants.begin(extension, user), **answer)
    found = grants.refused(
        user=user, state=back["state"], error=back["error"], description=back["error_description"]
    )
    assert expected in found.words and found.extension == extension


def test_a_code_that_was_used_elsewhere_is_told(extension, user, account) -> None:
    back = account.allow(grants.begin(extension, user))
    with pytest.raises(AuthenticationError, match="Connect again"):
        grants.finish(user=user, state=back["state"], code="stolen" + back["code"])


def test_another_account_stops_with_both_names(connected, user, sandbox, account) -> None:
    other = sandbox.account(account.name + "-other")
    with pytest.raises(grants.OtherAccount) as caught:
        grants.finish(user=user, **other.allow(grants.begin(connected, user)))
    assert account.name in caught.value.words and other.name in caught.value.words
    assert other.apps() == [] and len(account.apps()) == 1
    connected.refresh_from_db()
    assert connections.check(connected).account_id == account.state()["id"]


def test_a_token_that_dies_in_the_middle_of_a_run_is_renewed_once(connected, account) -> None:
    people(connected.tenant, 120)
    before = token_calls(account)
    run = sync.start(connected, kind="full")
    account.oauth(expire_now=True)
    drain(connected)
    run.refresh_from_db()
    assert (run.status, len(account.profiles())) == ("succeeded", 120)
    assert token_calls(account) - before == 1


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_make_one_token_call(connected, account) -> None:
    account.fault("POST /oauth/token", "slow", seconds=0.5)
    Extension.objects.update(token_expires_at=timezone.now())
    before, together, seen = token_calls(account), threading.Barrier(4), []

    def work() -> None:
        try:
            mine = Extension.objects.select_related("tenant").get(pk=connected.pk)
            together.wait()
            seen.append(connections.open_channel(mine).check().account_id)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == [account.state()["id"]] * 4
    assert token_calls(account) - before == 1


def test_a_rotated_refresh_token_is_followed(connected, account) -> None:
    account.oauth(rotates=True)
    for _ in range(2):
        Extension.objects.update(token_expires_at=timezone.now())
        connected.refresh_from_db()
        connections.check(connected)
    assert Extension.objects.get().health == Health.OK


def test_a_removal_there_is_noticed_and_healed_in_place(connected, user, account) -> None:
    people(connected.tenant, 3)
    account.uninstall()
    with pytest.raises(AuthenticationError, match="Removed in Klaviyo"):
        connections.check(connected)
    connected.refresh_from_db()
    assert (connected.is_active, connected.health) == (False, Health.ATTENTION)
    assert connected.removed_at and connected.field_mappings.count() == 1
    grants.finish(user=user, **account.allow(grants.begin(connected, user)))
    connected.refresh_from_db()
    assert (connected.is_active, connected.health, connected.removed_at) == (True, Health.OK, None)
    drain(connected)


def test_a_wrong_client_secret_marks_no_tenant(connected, account, settings) -> None:
    settings.KLAVIYO_CLIENT_SECRET = "wrong"
    Extension.objects.update(token_expires_at=timezone.now())
    connected.refresh_from_db()
    with pytest.raises(PortalNotAccepted, match="Nothing is wrong with your connection"):
        connections.check(connected)
    people(connected.tenant, 1)
    run = sync.start(connected, kind="full")
    for _ in range(3):
        step(connected)
    connected.refresh_from_db()
    run.refresh_from_db()
    assert (connected.is_active, connected.health, connected.removed_at) == (True, Health.OK, None)
    assert run.is_open
    settings.KLAVIYO_CLIENT_SECRET = "sandbox-secret"
    drain(connected)
    run.refresh_from_db()
    assert run.status == "succeeded"


def test_disconnecting_takes_the_app_out_there(connected, account) -> None:
    assert grants.disconnect(connected) == ""
    assert account.apps() == []


def test_a_scope_that_was_taken_is_named(connected, account) -> None:
    account.oauth(scopes=["accounts:read"])
    report = connections.check(connected)
    assert "profiles:write" in report.missing_scopes
    assert "Connect again and allow it" in connected.health_reason
