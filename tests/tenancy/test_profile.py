import pytest
from django.core import mail

from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client):
    ada = make_user(make_tenant("acme"), email="ada@example.com")
    client.force_login(ada)
    return ada


@pytest.mark.parametrize("address", ["/profile/", "/profile/email/", "/profile/two-factor/"])
def test_pages_open_for_people_and_lead_others_to_the_log_in(client, address):
    assert client.get(address).url == f"/login/?next={address}"
    client.force_login(make_user())
    assert client.get(address).status_code == 200


def test_a_name_is_saved(client, ada):
    client.post("/profile/", {"first_name": "Ada", "last_name": "King", "is_staff": "on"})
    ada.refresh_from_db()
    assert ada.get_full_name() == "Ada King" and not ada.is_staff


def test_the_navigation_of_the_last_tenant_stays(client, ada):
    assert "/t/acme/members/" not in client.get("/profile/").content.decode()
    client.get("/t/acme/")
    assert "/t/acme/members/" in client.get("/profile/").content.decode()
    ada.memberships.all().delete()
    assert "/t/acme/members/" not in client.get("/profile/").content.decode()


def test_a_new_address_takes_the_password_and_the_old_one_is_told(client, ada):
    client.post("/profile/email/", {"email": "new@example.com", "password": "wrong"})
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    client.post("/profile/email/", {"email": " New@Example.com", "password": "password"})
    ada.refresh_from_db()
    assert ada.email == "new@example.com"
    assert mail.outbox[0].to == ["ada@example.com"] and "new@example.com" in mail.outbox[0].body


def test_the_address_of_somebody_else_is_refused(client, ada):
    make_user(email="bob@example.com")
    sent = {"email": "BOB@example.com", "password": "password"}
    assert "exists already" in client.post("/profile/email/", sent).content.decode()


def test_a_link_to_reset_ends_with_a_new_address(client, ada):
    from django.contrib.auth.tokens import default_token_generator

    token = default_token_generator.make_token(ada)
    client.post("/profile/email/", {"email": "new@example.com", "password": "password"})
    ada.refresh_from_db()
    assert not default_token_generator.check_token(ada, token)
