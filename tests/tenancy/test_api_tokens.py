import pytest

from portal.tenancy import tokens
from portal.tenancy.models import ApiToken
from tests.factories import make_tenant, make_user
from tests.pages.conftest import count_queries  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db):
    return make_tenant("acme")


@pytest.fixture
def manager(acme, client):
    manager = make_user(acme, role="manager", email="max@example.com")
    client.force_login(manager)
    return manager


def test_a_token_is_shown_once_works_and_is_stored_nowhere(client, acme, manager, caplog):
    answer = client.post("/t/acme/settings/tokens/new/", {"name": "Till"})
    text = answer.context["text"]
    assert text in answer.content.decode() and "no-store" in answer["Cache-Control"]
    assert tokens.find(text).tenant == acme
    made = ApiToken.objects.get()
    assert made.issued_by == manager
    for page in ("/t/acme/settings/tokens/", "/t/acme/settings/history/", "/t/acme/"):
        assert text not in client.get(page).content.decode()
    assert text not in str(dict(client.session)) and text not in caplog.text


def test_a_token_needs_a_name(client, acme, manager):
    assert client.post("/t/acme/settings/tokens/new/", {"name": " "}).context["form"].errors
    assert not ApiToken.objects.exists()


def test_the_list_tells_who_made_it_and_when_it_was_used(client, acme, manager):
    tokens.issue(acme, "Till", by=manager)
    page = client.get("/t/acme/settings/tokens/").content.decode()
    assert "Till" in page and "max@example.com" in page and "never" in page


def test_the_list_takes_as_many_queries_for_fifty_as_for_five(client, acme, manager, count_queries):  # noqa: F811
    assert count_queries(lambda: tokens.issue(acme, "Till", by=manager), "/t/acme/settings/tokens/")


def test_a_token_is_revoked_after_a_question(client, acme, manager):
    token, text = tokens.issue(acme, "Till")
    client.get(f"/t/acme/settings/tokens/{token.pk}/revoke/")
    assert tokens.find(text)
    client.post(f"/t/acme/settings/tokens/{token.pk}/revoke/")
    assert tokens.find(text) is None


def test_the_token_of_another_tenant_is_not_found(client, acme, manager):
    token, text = tokens.issue(make_tenant("other"), "Till")
    assert client.post(f"/t/acme/settings/tokens/{token.pk}/revoke/").status_code == 404
    assert tokens.find(text)


def test_a_viewer_sees_no_tokens_and_no_link_to_them(client, acme):
    client.force_login(make_user(acme, role="viewer"))
    assert client.get("/t/acme/settings/tokens/").status_code == 403
    assert "/settings/tokens/" not in client.get("/t/acme/settings/").content.decode()
