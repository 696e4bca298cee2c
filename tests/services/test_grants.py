"""Connecting by OAuth: to the Allow page and back, and what is never connected."""

import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.utils import timezone

from integrations.errors import AuthenticationError, ConfigurationError, PortalNotAccepted, Temporary
from integrations.gateway.values import ConnectionReport
from integrations.models import Extension, FieldMapping, Health, SignInAttempt
from integrations.services import binding, connecting, connections, grants
from portal.tenancy.models import Tenant, User
from portal.tenancy.secrets import Secret
from tests.factories import make_member, make_tenant, make_user
from tests.fakes import FakeDestination
from tests.services.builders import happen
from tests.test_secrets_stay_secret import dump

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def owner(tenant: Tenant) -> User:
    return make_user(tenant)


@pytest.fixture
def extension(fake: FakeDestination, tenant: Tenant) -> Extension:
    return connections.create(tenant, destination="fake", name="Fake")


def go_and_allow(fake: FakeDestination, extension: Extension, user: User) -> dict[str, str]:
    return fake.sign_in.allow(grants.begin(extension, user))


def connect(fake: FakeDestination, extension: Extension, user: User) -> Extension:
    return grants.finish(user=user, **go_and_allow(fake, extension, user))


# There and back ------------------------------------------------------------------------------------


def test_a_connection_is_made_and_checked_at_once(fake, extension, owner) -> None:
    found = connect(fake, extension, owner)
    found.refresh_from_db()
    assert found.pk == extension.pk
    assert (found.auth_method, found.account_id, found.health) == ("oauth", "ACCOUNT", Health.OK)
    assert found.secret.reveal() in fake.remote.keys
    assert found.refresh_token.reveal() in fake.sign_in.grants
    assert found.granted_scopes == ["people:read", "people:write"]
    assert timedelta(minutes=59) < found.token_expires_at - timezone.now() < timedelta(minutes=61)
    assert not found.is_active  # to switch it on is another decision
    connections.open_channel(found).check()


def test_the_address_carries_a_state_that_is_stored_as_a_digest_only(fake, extension, owner) -> None:
    asked = parse_qs(urlsplit(grants.begin(extension, owner)).query)
    attempt = SignInAttempt.objects.get()
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/integrations/fake/callback"]
    assert len(asked["state"][0]) >= 43 and asked["state"][0] not in str(vars(attempt))
    assert 43 <= len(attempt.verifier.reveal()) <= 128


def test_trips_that_are_long_over_are_forgotten(fake, extension, owner) -> None:
    grants.begin(extension, owner)
    SignInAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    grants.begin(extension, owner)
    assert SignInAttempt.objects.count() == 1


def test_nothing_is_begun_where_signing_in_is_not_offered(fake, extension, owner) -> None:
    fake.sign_in.offered = False
    with pytest.raises(ConfigurationError, match="operator"):
        grants.begin(extension, owner)
    fake.sign_in = None
    with pytest.raises(ConfigurationError, match="by a key only"):
        grants.begin(extension, owner)


def test_missing_permissions_are_named(fake, extension, owner) -> None:
    fake.remote.missing_scopes = ("people:write",)
    found = connect(fake, extension, owner)
    assert (found.health, found.missing_scopes) == (Health.ATTENTION, ["people:write"])
    assert "people:write" in found.health_reason and "Connect again" in found.health_reason


# What is not taken ---------------------------------------------------------------------------------


def test_a_state_that_nobody_set_out_with_is_refused(fake, extension, owner) -> None:
    back = go_and_allow(fake, extension, owner)
    with pytest.raises(grants.StateMismatch) as caught:
        grants.finish(user=owner, state="invented", code=back["code"])
    assert "Nothing was connected" in caught.value.words
    assert fake.remote.count("exchange") == 0


def test_another_person_cannot_finish_and_does_not_use_the_trip_up(fake, extension, owner, tenant) -> None:
    back = go_and_allow(fake, extension, owner)
    with pytest.raises(grants.StateMismatch):
        grants.finish(user=make_user(tenant), **back)
    assert grants.finish(user=owner, **back).account_id == "ACCOUNT"


def test_an_answer_is_good_once(fake, extension, owner) -> None:
    back = go_and_allow(fake, extension, owner)
    grants.finish(user=owner, **back)
    with pytest.raises(grants.AttemptOver, match="used already"):
        grants.finish(user=owner, **back)
    assert fake.remote.count("exchange") == 1


def test_an_answer_after_ten_minutes_is_too_late(fake, extension, owner) -> None:
    back = go_and_allow(fake, extension, owner)
    SignInAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=10, seconds=1))
    with pytest.raises(grants.AttemptOver, match="10 minutes"):
        grants.finish(user=owner, **back)
    assert fake.remote.count("exchange") == 0


def test_a_code_that_is_not_good_any_more_changes_nothing(fake, extension, owner) -> None:
    back = go_and_allow(fake, extension, owner)
    with pytest.raises(AuthenticationError):
        grants.finish(user=owner, state=back["state"], code="another")
    extension.refresh_from_db()
    assert (extension.secret, extension.health) == (None, Health.UNCHECKED)


def test_a_portal_that_is_not_known_there_marks_no_connection(fake, extension, owner) -> None:
    fake.remote.fail("exchange", PortalNotAccepted("The operator must mend it."))
    with pytest.raises(PortalNotAccepted):
        connect(fake, extension, owner)
    extension.refresh_from_db()
    assert (extension.health, extension.removed_at) == (Health.UNCHECKED, None)


def test_a_check_that_fails_keeps_what_was_there(fake, extension, owner) -> None:
    connect(fake, extension, owner)
    before = Extension.objects.get().secret
    fake.remote.fail("check", Temporary("Try again."))
    with pytest.raises(Temporary):
        connect(fake, extension, owner)
    assert Extension.objects.get().secret == before


@pytest.mark.parametrize(
    ("error", "description", "expected"),
    [
        (
            "access_denied",
            "The user denied the request",
            ["was not allowed", "owner there", "The user denied"],
        ),
        ("access_denied", "", ["was not allowed", "owner there"]),
        ("invalid_scope", "Unknown scope", ["refused the sign-in", "operator", "Unknown scope"]),
        ("server_error", "", ["could not answer", "Try again"]),
        ("<b>odd</b>", "", ["refused the sign-in"]),
    ],
)
def test_a_refusal_is_told_in_words(fake, extension, owner, error, description, expected) -> None:
    back = go_and_allow(fake, extension, owner)
    found = grants.refused(user=owner, state=back["state"], error=error, description=description)
    assert found.extension == extension
    assert all(text in found.words for text in expected)
    with pytest.raises(grants.AttemptOver):
        grants.finish(user=owner, **back)


def test_a_refusal_for_somebody_else_names_no_connection(fake, extension, owner, tenant) -> None:
    back = go_and_allow(fake, extension, owner)
    found = grants.refused(user=make_user(tenant), state=back["state"], error="access_denied", description="")
    assert found.extension is None
    assert grants.on_the_way(user=owner, state=back["state"]) == extension


def test_tokens_are_in_no_table_no_log_and_no_audit_entry(fake, extension, owner, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    back = go_and_allow(fake, extension, owner)
    attempt = SignInAttempt.objects.get()
    found = grants.finish(user=owner, **back)
    secrets = [attempt.verifier, found.secret, found.refresh_token]
    Extension.objects.update(token_expires_at=timezone.now())
    found = grants.fresh(Extension.objects.get())
    credentials = found.credentials(default_url="", default_revision="")
    changes = " ".join(str(entry.changes) for entry in LogEntry.objects.all())
    assert "refresh_token" in changes and "token_expires_at" not in changes
    everything = f"{dump()} {caplog.text} {vars(attempt)} {vars(found)} {credentials} {changes}"
    assert all(secret.reveal() not in everything for secret in [*secrets, found.secret])
    assert back["state"] not in everything


# Whose account -------------------------------------------------------------------------------------


def test_another_account_stops_with_both_names_and_is_given_back(fake, extension, owner, monkeypatch) -> None:
    connect(fake, extension, owner)
    before = Extension.objects.get()
    report = ConnectionReport("OTHER", "Beans Ltd")
    monkeypatch.setattr("tests.fakes.FakeChannel._check", lambda channel: report)
    with pytest.raises(grants.OtherAccount) as caught:
        connect(fake, extension, owner)
    assert "Beans Ltd (OTHER)" in caught.value.words and "Fake account (ACCOUNT)" in caught.value.words
    after = Extension.objects.get()
    assert (after.secret, after.refresh_token, after.account_id) == (
        before.secret,
        before.refresh_token,
        "ACCOUNT",
    )
    assert len(fake.sign_in.revoked) == 1 and before.refresh_token.reveal() in fake.sign_in.grants


def test_an_account_that_another_tenant_has_is_refused_without_its_name(fake, extension, owner) -> None:
    other = make_tenant("rivals")
    first = connections.create(other, destination="fake", name="Secret name")
    connect(fake, first, make_user(other))
    connections.set_active(first, True)
    with pytest.raises(grants.OtherAccount) as caught:
        connect(fake, extension, owner)
    assert "another loyalty programme" in caught.value.words and "Secret name" not in caught.value.words
    assert Extension.objects.get(pk=extension.pk).secret is None
    assert fake.sign_in.revoked == []  # the app would leave the account, and the other connection with it


# Again, and away -----------------------------------------------------------------------------------


def test_a_key_gives_way_to_a_grant_only_when_it_is_there(fake, extension, owner) -> None:
    connections.store_key(extension, "key")
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points")
    back = go_and_allow(fake, extension, owner)
    extension.refresh_from_db()
    assert (extension.auth_method, extension.secret.reveal()) == ("private_key", "key")
    found = grants.finish(user=owner, **back)
    assert (found.auth_method, found.field_mappings.count()) == ("oauth", 1)
    connections.store_key(found, "key")
    found.refresh_from_db()
    assert (found.auth_method, found.refresh_token, found.granted_scopes) == ("private_key", None, [])


def test_a_removed_connection_comes_back_in_place_and_tells_what_waited_as_history(
    fake, extension, owner
) -> None:
    connect(fake, extension, owner)
    connections.set_active(extension, True)
    grants.lost(extension)
    happen(make_member(extension.tenant))
    assert (extension.is_active, extension.health) == (False, Health.ATTENTION)
    assert "Removed in Fake" in extension.health_reason
    with pytest.raises(ConfigurationError, match="Removed in Fake"):
        connections.set_active(extension, True)
    found = connect(fake, extension, owner)
    assert (found.is_active, found.removed_at, found.health) == (True, None, Health.OK)
    assert connections.waiting_events(found) == 1
    assert found.active_since > found.tenant.members.get().created_at


def test_a_removed_connection_stays_off_where_another_took_its_place(fake, extension, owner) -> None:
    connect(fake, extension, owner)
    grants.lost(extension)
    other = connections.create(extension.tenant, destination="fake", name="Other")
    connections.store_key(other, "key")
    connections.set_active(other, True)
    found = connect(fake, extension, owner)
    assert (found.is_active, found.removed_at, found.health) == (False, None, Health.OK)


def test_disconnecting_gives_the_grant_back_and_keeps_the_rest(fake, extension, owner) -> None:
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points")
    found = connect(fake, extension, owner)
    connections.set_active(found, True)
    refresh = found.refresh_token.reveal()
    assert grants.disconnect(found) == ""
    found.refresh_from_db()
    assert fake.sign_in.revoked == [refresh]
    assert (found.secret, found.refresh_token, found.granted_scopes) == (None, None, [])
    assert (found.is_active, found.account_id, found.field_mappings.count()) == (False, "ACCOUNT", 1)


def test_a_grant_that_cannot_be_given_back_is_forgotten_and_told(fake, extension, owner) -> None:
    found = connect(fake, extension, owner)
    fake.remote.fail("revoke", Temporary("Nobody answers."))
    told = grants.disconnect(found)
    found.refresh_from_db()
    assert "Nobody answers" in told and found.refresh_token is None


def test_a_key_is_forgotten_too(extension) -> None:
    connections.store_key(extension, "key")
    assert grants.disconnect(extension) == ""
    extension.refresh_from_db()
    assert (extension.secret, extension.auth_method) == (None, "private_key")
    with pytest.raises(ConfigurationError, match="not connected yet: open http"):
        connections.open_channel(extension)


def test_a_grant_that_another_connection_lives_by_is_not_given_back(fake, extension, owner, tenant) -> None:
    """To give back one grant takes the whole app out of the account there: the other would be removed."""
    first = connect(fake, extension, owner)
    second = connections.create(tenant, destination="fake", name="Second")
    connect(fake, second, owner)
    told = grants.disconnect(first)
    first.refresh_from_db()
    assert (first.secret, first.refresh_token) == (None, None)
    assert fake.sign_in.revoked == [] and "another connection" in told
    second.refresh_from_db()
    assert grants.disconnect(second) == ""
    assert len(fake.sign_in.revoked) == 1


def test_the_grant_of_the_moment_is_given_back_and_forgotten_first(
    fake, extension, owner, monkeypatch
) -> None:
    """A worker renewed meanwhile: its token is the one that lives. Nobody renews while we give back."""
    found = connect(fake, extension, owner)
    other = Extension.objects.get(pk=found.pk)
    fake.sign_in.grants.add("rotated")
    other.refresh_token = Secret("rotated")
    other.save(update_fields=["refresh_token"])
    seen: list[object] = []
    give_back = fake.sign_in.revoke

    def revoke(token: Secret) -> None:
        seen.append(Extension.objects.get(pk=found.pk).refresh_token)
        give_back(token)

    monkeypatch.setattr(fake.sign_in, "revoke", revoke)
    grants.disconnect(found)
    assert fake.sign_in.revoked == ["rotated"] and seen == [None]


def test_where_the_keys_are_lost_signing_in_again_connects(fake, extension, owner) -> None:
    connect(fake, extension, owner)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_extension SET secret = 'x', refresh_token = 'x'")
    found = connect(fake, extension, owner)
    found.refresh_from_db()
    assert found.secret.reveal() in fake.remote.keys


# Two at once ---------------------------------------------------------------------------------------


def test_an_account_that_was_bound_while_we_asked_is_not_replaced(
    fake, extension, owner, monkeypatch
) -> None:
    """Two people connect one draft to two accounts: the second is told, and its access is given back."""
    back = go_and_allow(fake, extension, owner)
    check = binding.check

    def meanwhile(asked: Extension, granted: object) -> ConnectionReport:
        Extension.objects.filter(pk=asked.pk).update(account_id="FIRST", account_name="First Shop")
        return check(asked, granted)

    monkeypatch.setattr(binding, "check", meanwhile)
    with pytest.raises(grants.OtherAccount, match="First Shop"):
        grants.finish(user=owner, **back)
    extension.refresh_from_db()
    assert (extension.account_id, extension.secret, extension.refresh_token) == ("FIRST", None, None)
    assert len(fake.sign_in.revoked) == 1


def test_a_key_of_another_account_than_the_one_bound_meanwhile_is_not_kept(
    fake, extension, monkeypatch
) -> None:
    channel = connections.open_channel

    def meanwhile(asked: Extension) -> object:
        Extension.objects.filter(pk=extension.pk).update(account_id="FIRST", account_name="First Shop")
        return channel(asked)

    monkeypatch.setattr(connections, "open_channel", meanwhile)
    with pytest.raises(ConfigurationError, match="First Shop"):
        connecting.by_key(extension, "key")
    extension.refresh_from_db()
    assert (extension.account_id, extension.secret) == ("FIRST", None)
