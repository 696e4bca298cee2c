from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from portal.tenancy import invitations
from portal.tenancy.models import Invitation, Membership, Role, User
from portal.tenancy.team import TeamRefused
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db
NEW = {"first_name": "Bob", "last_name": "Ray", "password": "a-brand-new-1"}


@pytest.fixture
def acme(db):
    return make_tenant("acme", name="Acme Coffee")


@pytest.fixture
def owner(acme):
    return make_user(acme, email="owner@example.com")


@pytest.fixture
def invited(acme, owner):
    """An invitation of bob@example.com as manager, with the path of its link."""
    made, link = invitations.make(acme, email="Bob@example.com", role=Role.MANAGER, by=owner)
    return made, "/invitation/" + link.split("/invitation/")[1]


def open_link(client, path):
    return client.get(path, follow=True)


def test_an_owner_invites_and_a_mail_goes_out(client, acme, owner, settings):
    settings.PORTAL_URL = "https://portal.acme.test"
    client.force_login(owner)
    answer = client.post("/t/acme/settings/team/invite/", {"email": " Bob@Example.com ", "role": "viewer"})
    link = answer.context["link"]
    assert link.startswith("https://portal.acme.test/invitation/")
    assert mail.outbox[0].to == ["bob@example.com"] and link in mail.outbox[0].body
    assert link in answer.content.decode() and "no-store" in answer["Cache-Control"]
    token = link.rstrip("/").rsplit("/", 1)[1]
    made = Invitation.objects.get()
    assert made.digest == invitations.digest_of(token) and token not in made.digest
    for page in ("/t/acme/settings/team/", "/t/acme/settings/history/"):
        assert token not in client.get(page).content.decode()


def test_a_portal_that_prints_its_mail_says_so(client, acme, owner, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    client.force_login(owner)
    page = client.post("/t/acme/settings/team/invite/", {"email": "bob@example.com", "role": "viewer"})
    assert "prints the invitation into its log" in page.content.decode()


def test_a_mail_that_cannot_be_sent_leaves_the_link(client, acme, owner, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    client.force_login(owner)
    page = client.post("/t/acme/settings/team/invite/", {"email": "b@example.com", "role": "viewer"})
    assert "could not be sent" in page.content.decode() and page.context["link"] in page.content.decode()


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_only_owners_invite(client, acme, role):
    client.force_login(make_user(acme, role=role))
    sent = {"email": "bob@example.com", "role": "viewer"}
    assert client.post("/t/acme/settings/team/invite/", sent).status_code == 403
    assert not Invitation.objects.exists()


def test_a_new_person_sets_name_and_password_and_is_in(client, acme, invited):
    page = open_link(client, invited[1])
    assert "Acme Coffee" in page.content.decode()
    before = client.session.session_key
    assert client.post("/invitation/", NEW).url == "/t/acme/"
    bob = User.objects.get(email="bob@example.com")
    assert bob.check_password("a-brand-new-1") and bob.memberships.get().role == "manager"
    assert not bob.is_staff
    assert client.get("/t/acme/").status_code == 200
    assert client.session.session_key != before


def test_the_token_is_in_no_address_after_the_first(client, invited):
    last, _ = open_link(client, invited[1]).redirect_chain[-1]
    assert last == "/invitation/"


@pytest.mark.parametrize("password", ["short", "password12", "bob@example.com"])
def test_a_weak_password_is_refused(client, invited, password):
    open_link(client, invited[1])
    assert client.post("/invitation/", {**NEW, "password": password}).context["form"].errors["password"]
    assert not User.objects.filter(email="bob@example.com").exists()


def test_a_link_works_once(client, acme, invited):
    open_link(client, invited[1])
    client.post("/invitation/", NEW)
    client.post("/logout/")
    answer = open_link(client, invited[1])
    assert answer.status_code == 410 and "invitation is over" in answer.content.decode()


def test_a_link_is_good_for_seven_days(client, invited):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert open_link(client, invited[1]).status_code == 410


def test_a_link_that_expires_while_the_form_is_open_is_refused(client, invited):
    open_link(client, invited[1])
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.post("/invitation/", NEW).status_code == 410
    assert not User.objects.filter(email="bob@example.com").exists()


def test_a_link_that_was_taken_back_is_refused(client, acme, owner, invited):
    client.force_login(owner)
    client.post(f"/t/acme/settings/team/invitations/{invited[0].pk}/end/")
    client.logout()
    assert open_link(client, invited[1]).status_code == 410


def test_a_made_up_link_is_refused(client, invited):
    assert open_link(client, "/invitation/made-up/").status_code == 410


def test_sent_again_has_a_new_link_and_ends_the_old_one(client, acme, owner, invited):
    client.force_login(owner)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    answer = client.post(f"/t/acme/settings/team/invitations/{invited[0].pk}/again/")
    client.logout()
    assert open_link(client, invited[1]).status_code == 410
    assert open_link(client, answer.context["link"].split("8000")[-1]).status_code == 200


def test_what_is_over_is_not_sent_again(client, acme, owner, invited):
    invitations.revoke(invited[0])
    client.force_login(owner)
    client.post(f"/t/acme/settings/team/invitations/{invited[0].pk}/again/")
    assert not mail.outbox


def test_the_invitation_of_another_tenant_is_not_found(client, invited):
    client.force_login(make_user(make_tenant("other")))
    for act in ("again", "end"):
        path = f"/t/other/settings/team/invitations/{invited[0].pk}/{act}/"
        assert client.post(path).status_code == 404


def test_who_has_an_account_logs_in_first_and_comes_back(client, acme, invited):
    bob = make_user(email="bob@example.com")
    page = open_link(client, invited[1]).content.decode()
    assert "/login/?next=/invitation/" in page
    assert client.post("/invitation/", NEW).status_code == 200  # sets no password of an account that exists
    bob.refresh_from_db()
    assert bob.check_password("password") and not bob.memberships.exists()
    sent = {"username": bob.email, "password": "password", "next": "/invitation/"}
    assert client.post("/login/", sent).url == "/invitation/"
    assert "Join Acme Coffee" in client.get("/invitation/").content.decode()
    assert client.post("/invitation/").url == "/t/acme/"
    assert bob.memberships.get().role == "manager"


def test_somebody_else_who_is_signed_in_is_told_and_can_log_out(client, acme, invited):
    other = make_user(email="eve@example.com")
    client.force_login(other)
    assert "eve@example.com" in open_link(client, invited[1]).content.decode()
    client.post("/invitation/")
    assert not other.memberships.exists()
    page = client.post("/invitation/leave/", follow=True).content.decode()
    assert "You will log in with bob@example.com" in page


def test_who_was_added_meanwhile_keeps_the_role(client, acme, invited):
    bob = make_user(acme, role="owner", email="bob@example.com")
    invitations.join(invited[0].digest, bob)
    assert Membership.objects.get(user=bob).role == "owner"


def test_who_belongs_to_the_team_is_not_invited(acme, owner):
    with pytest.raises(TeamRefused, match="already"):
        invitations.make(acme, email="Owner@example.com", role=Role.VIEWER, by=owner)


def test_an_open_invitation_is_not_doubled_and_an_old_one_gives_way(acme, owner, invited):
    with pytest.raises(TeamRefused, match="invited already"):
        invitations.make(acme, email="bob@example.com", role=Role.VIEWER, by=owner)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    made, _ = invitations.make(acme, email="bob@example.com", role=Role.VIEWER, by=owner)
    assert list(invitations.waiting(acme)) == [made]


def test_fifty_open_invitations_are_enough(acme, owner, monkeypatch):
    monkeypatch.setattr(invitations, "OPEN_AT_MOST", 2)
    for number in range(2):
        invitations.make(acme, email=f"p{number}@example.com", role=Role.VIEWER, by=owner)
    with pytest.raises(TeamRefused, match="2 invitations are open"):
        invitations.make(acme, email="one-more@example.com", role=Role.VIEWER, by=owner)


def test_invitations_that_are_taken_back_count_for_the_day(acme, owner, monkeypatch):
    monkeypatch.setattr(invitations, "A_DAY_AT_MOST", 2)
    for number in range(2):
        made, _ = invitations.make(acme, email=f"p{number}@example.com", role=Role.VIEWER, by=owner)
        invitations.revoke(made)
    with pytest.raises(TeamRefused, match="tomorrow"):
        invitations.make(acme, email="p3@example.com", role=Role.VIEWER, by=owner)


def test_an_invitation_is_sent_again_once_a_minute(client, owner, invited):
    client.force_login(owner)
    for _ in range(3):
        client.post(f"/t/acme/settings/team/invitations/{invited[0].pk}/again/")
    assert len(mail.outbox) == 1


def test_the_navigation_of_settings_offers_what_the_role_may_open(client, acme):
    for role in ("viewer", "manager", "owner"):
        client.force_login(make_user(acme, role=role))
        page = client.get("/t/acme/settings/")
        for link in page.context["nav"].settings:
            assert client.get(link.url).status_code == 200, (role, link.url)
