import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.urls import reverse

from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db


def log_in(client, email="ada@example.com", password="password"):
    return client.post(reverse("login"), {"username": email, "password": password}, follow=True)


def test_one_signs_in_by_e_mail_in_any_case_and_lands_on_the_overview(client):
    make_user(make_tenant("acme"), email="ada@example.com")
    answer = log_in(client, " Ada@Example.com ")
    assert answer.redirect_chain[-1][0] == "/t/acme/"


def test_wrong_password_says_what_to_do(client):
    make_user(email="ada@example.com")
    assert "do not fit together" in log_in(client, password="wrong").content.decode()


def test_too_many_wrong_passwords_are_answered_by_a_page(client, settings):
    settings.AXES_FAILURE_LIMIT = 2
    make_user(email="ada@example.com")
    log_in(client, password="wrong")
    answer = log_in(client, password="wrong")
    assert answer.status_code == 429
    assert "pauses for 15 minutes" in answer.content.decode()


def test_the_lock_out_holds_for_the_right_password_too_and_for_nobody_else(client, settings):
    settings.AXES_FAILURE_LIMIT = 2
    make_user(make_tenant("acme"), email="ada@example.com")
    make_user(make_tenant("bloom"), email="bob@example.com")
    for _ in range(2):
        log_in(client, password="wrong")
    assert log_in(client).status_code == 429
    assert client.get("/t/acme/").status_code == 302
    assert log_in(client, "bob@example.com").redirect_chain[-1][0] == "/t/bloom/"


def test_a_superuser_sees_who_is_locked_out_and_lets_them_try_again(client, settings):
    settings.AXES_FAILURE_LIMIT = 2
    make_user(make_tenant("acme"), email="ada@example.com")
    for _ in range(2):
        log_in(client, password="wrong")
    client.force_login(make_user(is_staff=True, is_superuser=True))
    address = reverse("admin:axes_accessattempt_changelist")
    assert "Locked out until" in client.get(address).content.decode()
    client.post(address, {"action": "end_lock_out", "_selected_action": [AccessAttempt.objects.get().pk]})
    client.logout()
    assert log_in(client).redirect_chain[-1][0] == "/t/acme/"


def test_staff_cannot_end_a_lock_out(client, settings, staff):
    settings.AXES_FAILURE_LIMIT = 1
    make_user(email="ada@example.com")
    log_in(client, password="wrong")
    client.force_login(staff)
    address = reverse("admin:axes_accessattempt_changelist")
    client.post(address, {"action": "end_lock_out", "_selected_action": [AccessAttempt.objects.get().pk]})
    assert AccessAttempt.objects.exists()


def test_several_tenants_are_a_choice_and_the_last_one_is_remembered(client):
    user = make_user(make_tenant("acme", name="Acme Coffee"))
    make_tenant("bloom", name="Bloom").memberships.create(user=user, role="viewer")
    client.force_login(user)
    assert "Which programme?" in client.get("/").content.decode()
    client.get("/t/bloom/")
    assert client.get("/").url == "/t/bloom/"


def test_who_has_no_tenant_is_told_so(client):
    client.force_login(make_user())
    assert "nobody has added you" in client.get("/").content.decode()


def test_staff_go_to_the_admin(client, staff):
    client.force_login(staff)
    assert client.get("/").url == "/admin/"


def test_log_out_takes_a_post(client):
    client.force_login(make_user())
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").url == "/login/"


def test_a_forgotten_password_is_set_by_a_link(client):
    make_user(make_tenant("acme"), email="ada@example.com")
    client.post(reverse("password_reset"), {"email": "ada@example.com"})
    link = next(word for word in mail.outbox[0].body.split() if "/password/set/" in word)
    form = client.get(link, follow=True)
    answer = client.post(
        form.redirect_chain[-1][0], {"new_password1": "a-brand-new-1", "new_password2": "a-brand-new-1"}
    )
    assert answer.url == "/password/set/done/"
    assert log_in(client, password="a-brand-new-1").redirect_chain[-1][0] == "/t/acme/"


def test_demo_people_are_offered_in_the_demo_only(client, settings):
    assert "demo-portal-1" not in client.get("/login/").content.decode()
    settings.DEMO = True
    assert "staff@demo.example" in client.get("/login/").content.decode()


@pytest.mark.parametrize("name", ["login", "password_reset", "password_reset_sent", "password_set_done"])
def test_pages_before_the_log_in_open(client, name):
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", ["password_change", "password_changed", "tenants"])
def test_pages_of_a_person_open(client, name):
    client.force_login(make_user(make_tenant()))
    assert client.get(reverse(name)).status_code == 200


def test_an_error_page_says_what_to_do_and_gives_a_number(client):
    answer = client.get("/nothing/here/")
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "There is nothing here" in page and "give this number" in page


def test_a_broken_page_gives_a_number_without_asking_the_database(rf):
    from portal.error_pages import broken

    answer = broken(rf.get("/"))
    assert answer.status_code == 500
    assert "Your data is safe" in answer.content.decode()
