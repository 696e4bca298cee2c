"""To the Allow page and back, as a person sees it; what the engine does of it is in services/test_grants.py."""

from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from integrations.errors import PortalNotAccepted, Temporary
from integrations.gateway import registry
from integrations.models import Extension, FieldMapping, SignInAttempt
from integrations.services import connections
from portal.tenancy.models import Membership
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db
BACK = "/integrations/fake/callback"


@pytest.fixture
def fake(settings):
    settings.DESTINATIONS = ["tests.fakes.FakeDestination"]
    registry.destinations.cache_clear()
    yield registry.get("fake")
    registry.destinations.cache_clear()


@pytest.fixture
def manager(client):
    user = make_user(make_tenant("acme"), role="manager")
    client.force_login(user)
    return user


@pytest.fixture
def extension(fake, manager):
    tenant = Membership.objects.get(user=manager).tenant
    return connections.create(tenant, destination="fake", name="Fake")


def set_out(client, extension, **given):
    return client.post(f"/t/acme/integrations/{extension.pk}/connect/", {"way": "oauth", **given})


def allow(client, fake, extension, **given) -> dict[str, str]:
    """Set out and allow it there; what the destination sends back."""
    answer = set_out(client, extension, **given)
    assert answer.status_code == 200
    return fake.sign_in.allow(answer["Refresh"].removeprefix("0; url="))


def words(answer) -> str:
    return unescape(answer.content.decode())


def test_the_way_there_is_no_redirect_so_that_the_policy_of_forms_lets_it_pass(client, extension):
    answer = set_out(client, extension)
    address = answer["Refresh"].removeprefix("0; url=")
    assert answer.status_code == 200 and f'href="{address}"' in words(answer)
    assert parse_qs(urlsplit(address).query)["redirect_uri"] == [f"http://127.0.0.1:8000{BACK}"]
    assert answer["Cross-Origin-Opener-Policy"] == "unsafe-none"


def test_in_the_same_window_success_leads_to_the_integration(client, fake, extension):
    answer = client.get(BACK, allow(client, fake, extension))
    assert answer.status_code == 302 and answer.url == f"/t/acme/integrations/{extension.pk}/"
    found = words(client.get(answer.url))
    assert "accepts us." in found and "Start sending" in found and "Sign-in to Fake" in found


def test_in_a_pop_up_success_tells_the_page_behind_it(client, fake, extension):
    answer = client.get(BACK, allow(client, fake, extension, window="pop-up"))
    assert answer.status_code == 200
    assert f'data-signed-in="signed-in-{extension.pk}"' in words(answer)
    assert answer["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert "accepts us." in words(client.get(f"/t/acme/integrations/{extension.pk}/"))


def test_the_page_that_opens_the_pop_up_stays_in_touch_with_it(client, extension):
    answer = client.get(f"/t/acme/integrations/{extension.pk}/connect/")
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"


def test_connecting_sends_nothing_yet_and_keeps_mappings(client, fake, extension):
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points Balance")
    client.get(BACK, allow(client, fake, extension))
    extension.refresh_from_db()
    assert not extension.is_active and extension.account_id == "ACCOUNT"
    assert extension.field_mappings.count() == 1


# Refusals: each says what happened, that nothing changed, and offers another try ---------------------------


def refused(client, fake, extension, answer, status: int = 400) -> str:
    found = words(answer)
    assert answer.status_code == status
    assert "Not connected" in found and "Try again" in found
    assert "nothing is lost" in found or "as they were" in found
    attempt = SignInAttempt.objects.get()
    assert attempt.state_digest not in found and attempt.verifier.reveal() not in found
    extension.refresh_from_db()
    assert not extension.secret and not extension.is_active
    return found


def test_denied(client, fake, extension):
    back = allow(client, fake, extension)
    given = {"state": back["state"], "error": "access_denied", "error_description": "The user said no"}
    found = refused(client, fake, extension, client.get(BACK, given))
    assert "the access was not allowed there" in found and fake.sign_in.role_help in found
    assert back["state"] not in found and back["code"] not in found


def test_the_code_has_expired(client, fake, extension):
    back = allow(client, fake, extension)
    refused(client, fake, extension, client.get(BACK, {**back, "code": "expired"}))


def test_the_trip_took_too_long(client, fake, extension):
    back = allow(client, fake, extension)
    SignInAttempt.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert "more than 10 minutes ago" in refused(client, fake, extension, client.get(BACK, back))


def test_the_answer_was_used_before(client, fake, extension):
    back = allow(client, fake, extension)
    client.get(BACK, back)
    answer = client.get(BACK, back)
    assert answer.status_code == 400 and "was used already" in words(answer)


@pytest.mark.parametrize("given", [{}, {"state": "invented", "code": "x"}, {"error": "access_denied"}])
def test_an_answer_to_nothing_connects_nothing(client, fake, extension, given):
    set_out(client, extension)
    answer = client.get(BACK, given)
    assert answer.status_code == 400
    assert "does not belong to a sign-in that you started here" in words(answer)
    assert "Back to the start" in words(answer) and "invented" not in words(answer)


def test_another_account_stops_with_both_names(client, fake, extension):
    Extension.objects.update(account_id="FIRST1", account_name="Acme Coffee")
    answer = client.get(BACK, allow(client, fake, extension))
    found = refused(client, fake, extension, answer)
    assert "Acme Coffee (FIRST1)" in found and "(ACCOUNT)" in found


def test_this_portal_is_not_known_there(client, fake, extension):
    fake.remote.fail("exchange", PortalNotAccepted("The client secret is wrong. The operator must mend it."))
    answer = client.get(BACK, allow(client, fake, extension))
    assert "The operator must mend it." in refused(client, fake, extension, answer)


def test_the_other_side_cannot_be_reached(client, fake, extension):
    fake.remote.fail("exchange", Temporary("Fake did not answer. Try again in a minute."))
    answer = client.get(BACK, allow(client, fake, extension))
    assert "Fake did not answer." in refused(client, fake, extension, answer, status=503)


def test_the_portal_has_no_app_there(client, fake, extension):
    fake.sign_in.offered = False
    assert "Signing in is not set up" in words(set_out(client, extension))
    assert not SignInAttempt.objects.exists()


def test_trying_again_keeps_the_address_and_the_pop_up(client, fake, extension):
    Extension.objects.update(base_url="https://fake.one")
    back = allow(client, fake, extension, window="pop-up", base_url="https://fake.one")
    found = words(client.get(BACK, {"state": back["state"], "error": "access_denied"}))
    assert 'name="base_url" value="https://fake.one"' in found and 'value="pop-up"' in found
    assert "data-close" in found


# Who may come back -------------------------------------------------------------------------------------------


def test_who_manages_no_more_finds_nothing(client, fake, extension, manager):
    back = allow(client, fake, extension)
    Membership.objects.filter(user=manager).update(role="viewer")
    assert client.get(BACK, back).status_code == 404
    Membership.objects.filter(user=manager).delete()
    assert client.get(BACK, back).status_code == 404
    assert fake.remote.count("exchange") == 0


def test_another_person_cannot_use_the_answer(client, fake, extension):
    back = allow(client, fake, extension)
    client.force_login(make_user(extension.tenant, role="owner"))
    answer = client.get(BACK, back)
    assert answer.status_code == 400 and back["code"] not in words(answer)


def test_who_is_not_signed_in_logs_in_first(client, fake, extension):
    back = allow(client, fake, extension)
    client.logout()
    assert client.get(BACK, back).url.startswith("/login/")


def test_a_destination_that_is_not_there_or_has_no_sign_in_is_not_found(client, fake, extension):
    assert client.get("/integrations/other/callback").status_code == 404
    fake.sign_in = None
    assert client.get(BACK).status_code == 404
    assert client.post(BACK).status_code == 405


def test_a_key_in_place_of_the_grant_gives_it_back(client, fake, extension):
    client.get(BACK, allow(client, fake, extension))
    fake.remote.keys.add("key-1")
    given = {"way": "private_key", "key": "key-1"}
    client.post(f"/t/acme/integrations/{extension.pk}/connect/", given)
    extension.refresh_from_db()
    assert (extension.auth_method, extension.secret.reveal()) == ("private_key", "key-1")
    assert extension.refresh_token is None and not fake.sign_in.grants
