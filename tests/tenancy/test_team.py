import threading

import pytest
from django.db import connection

from portal.tenancy import team
from portal.tenancy.models import Membership, Role
from tests.factories import make_tenant, make_user
from tests.pages.conftest import count_queries  # noqa: F401
from tests.tenancy.codes_of_app import switch_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db):
    return make_tenant("acme")


@pytest.fixture
def owner(acme, client):
    owner = make_user(acme, email="owner@example.com")
    client.force_login(owner)
    return owner


def test_the_list_tells_role_and_two_factor_sign_in(client, acme, owner):
    switch_on(owner)
    make_user(acme, role="viewer", email="vera@example.com")
    rows = {row.user.email: row for row in client.get("/t/acme/settings/team/").context["people"]}
    assert rows["owner@example.com"].has_two_factor and not rows["vera@example.com"].has_two_factor
    assert "vera@example.com" in client.get("/t/acme/settings/team/").content.decode()


def test_the_list_takes_as_many_queries_for_fifty_as_for_five(client, acme, owner, count_queries):  # noqa: F811
    assert count_queries(lambda: make_user(acme, role="viewer"), "/t/acme/settings/team/")


def test_a_viewer_sees_no_button(client, acme):
    client.force_login(make_user(acme, role="viewer"))
    page = client.get("/t/acme/settings/team/").content.decode()
    assert "Invite a person" not in page and "Change role" not in page


def test_an_owner_gives_another_role(client, acme, owner):
    vera = make_user(acme, role="viewer").memberships.get()
    client.post(f"/t/acme/settings/team/{vera.pk}/role/", {"role": "manager"})
    vera.refresh_from_db()
    assert vera.role == "manager"


def test_an_unknown_role_is_refused(client, acme, owner):
    vera = make_user(acme, role="viewer").memberships.get()
    assert client.post(f"/t/acme/settings/team/{vera.pk}/role/", {"role": "god"}).status_code == 200
    vera.refresh_from_db()
    assert vera.role == "viewer"


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_the_last_owner_stays_owner(client, acme, owner, role):
    mine = owner.memberships.get()
    page = client.post(f"/t/acme/settings/team/{mine.pk}/role/", {"role": role}).content.decode()
    assert "last owner" in page
    mine.refresh_from_db()
    assert mine.role == "owner"


def test_the_last_owner_is_not_removed(client, acme, owner):
    mine = owner.memberships.get()
    assert "last owner" in client.get(f"/t/acme/settings/team/{mine.pk}/remove/").content.decode()
    client.post(f"/t/acme/settings/team/{mine.pk}/remove/")
    assert Membership.objects.filter(pk=mine.pk).exists()


def test_an_owner_who_cannot_log_in_does_not_count(acme, owner):
    make_user(acme, role="owner", is_active=False)
    with pytest.raises(team.TeamRefused):
        team.remove(owner.memberships.get())


def test_one_of_two_owners_may_leave(client, acme, owner):
    make_user(acme, role="owner")
    mine = owner.memberships.get()
    assert client.post(f"/t/acme/settings/team/{mine.pk}/remove/").url == "/"
    assert client.get("/t/acme/").status_code == 404


def test_who_is_removed_finds_nothing_from_the_next_click_on(client, acme, owner):
    vera = make_user(acme, role="viewer")
    client.post(f"/t/acme/settings/team/{vera.memberships.get().pk}/remove/")
    client.force_login(vera)
    assert client.get("/t/acme/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one(transactional_db):
    tenant = make_tenant()
    owners = [make_user(tenant, role="owner").memberships.get() for _ in range(2)]
    together = threading.Barrier(2)
    refused: list[str] = []

    def remove(membership):
        together.wait()
        try:
            team.remove(membership)
        except team.TeamRefused as refusal:
            refused.append(refusal.words)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=[row]) for row in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert Membership.objects.filter(tenant=tenant, role=Role.OWNER).count() == 1
