from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

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


ASKED = {"email": " New@Example.com", "password": "password"}


def link_to_new_address(client, **given) -> str:
    """Ask for another address; the path of the link that was sent there."""
    client.post("/profile/email/", {**ASKED, **given})
    return "/" + mail.outbox[-1].body.split("http://127.0.0.1:8000/")[1].split()[0]


def test_a_new_address_takes_the_password_and_counts_when_it_was_confirmed_there(client, ada):
    client.post("/profile/email/", {**ASKED, "password": "wrong"})
    assert mail.outbox == []
    link = link_to_new_address(client)
    assert mail.outbox[0].to == ["new@example.com"]
    client.get(link)
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    client.post(link)
    ada.refresh_from_db()
    assert ada.email == "new@example.com"
    assert mail.outbox[1].to == ["ada@example.com"] and "new@example.com" in mail.outbox[1].body


def test_the_link_to_a_new_address_is_good_once_for_a_day_and_for_one_person(client, ada, time_machine):
    link = link_to_new_address(client)
    assert "is not whole" in client.get(link[:-2] + "x/", follow=True).content.decode()
    client.force_login(make_user(email="eve@example.com"))
    assert "for another account" in client.post(link, follow=True).content.decode()
    client.force_login(ada)
    client.post(link)
    assert "was used already" in client.post(link, follow=True).content.decode()
    ada.refresh_from_db()
    assert ada.email == "new@example.com"
    client.force_login(ada)
    time_machine.move_to(timezone.now() + timedelta(minutes=1), tick=True)
    late = link_to_new_address(client, email="late@example.com")
    time_machine.move_to(timezone.now() + timedelta(days=1, minutes=1), tick=True)
    client.force_login(ada)
    assert "older than a day" in client.post(late, follow=True).content.decode()


def test_an_address_that_was_taken_meanwhile_stays_with_its_owner(client, ada):
    link = link_to_new_address(client)
    make_user(email="new@example.com")
    assert "exists meanwhile" in client.post(link, follow=True).content.decode()


def test_the_address_of_somebody_else_is_refused(client, ada):
    make_user(email="bob@example.com")
    sent = {"email": "BOB@example.com", "password": "password"}
    assert "exists already" in client.post("/profile/email/", sent).content.decode()


def test_a_link_to_reset_ends_with_a_new_address(client, ada):
    from django.contrib.auth.tokens import default_token_generator

    token = default_token_generator.make_token(ada)
    client.post(link_to_new_address(client))
    ada.refresh_from_db()
    assert not default_token_generator.check_token(ada, token)
