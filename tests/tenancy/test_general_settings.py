import pytest
from django.utils import timezone

from portal.tenancy import tokens
from portal.tenancy.changes import PAGE
from portal.tenancy.models import Role
from portal.tenancy.team import change_role
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db
SENT = {"name": "Acme", "timezone": "Europe/Paris", "currency": "gbp", "keep_sent_rows_days": "7"}


@pytest.fixture
def acme(db):
    return make_tenant("acme")


@pytest.fixture
def owner(acme, client):
    owner = make_user(acme, email="owner@example.com")
    client.force_login(owner)
    return owner


def test_an_owner_changes_zone_currency_and_retention(client, acme, owner):
    assert client.post("/t/acme/settings/change/", SENT).url == "/t/acme/settings/"
    acme.refresh_from_db()
    assert (acme.name, acme.timezone, acme.currency) == ("Acme", "Europe/Paris", "GBP")
    assert (acme.keep_sent_rows_days, acme.keep_other_rows_days) == (7, None)


@pytest.mark.parametrize(
    "wrong", [{"timezone": "Mars/Olympus"}, {"currency": "12"}, {"keep_sent_rows_days": "0"}, {"name": ""}]
)
def test_what_cannot_be_is_refused_beside_its_field(client, acme, owner, wrong):
    answer = client.post("/t/acme/settings/change/", {**SENT, **wrong})
    assert set(answer.context["form"].errors) == set(wrong)
    acme.refresh_from_db()
    assert acme.timezone == "UTC"


def test_the_short_name_is_not_changed_by_a_crafted_form(client, acme, owner):
    client.post("/t/acme/settings/change/", {**SENT, "slug": "other"})
    acme.refresh_from_db()
    assert acme.slug == "acme"


def test_the_form_tells_the_number_of_the_portal(client, acme, owner, settings):
    settings.KEEP_SENT_ROWS_DAYS = 33
    assert "Empty: 33" in client.get("/t/acme/settings/").content.decode()


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_others_read_and_change_nothing(client, acme, role):
    client.force_login(make_user(acme, role=role))
    assert "Save these settings" not in client.get("/t/acme/settings/").content.decode()
    assert client.post("/t/acme/settings/change/", SENT).status_code == 403


def test_an_unusual_zone_that_is_set_stays_a_choice(client, acme, owner):
    acme.timezone = "Etc/GMT+3"
    acme.save()
    assert 'value="Etc/GMT+3" selected' in client.get("/t/acme/settings/").content.decode()


# History -------------------------------------------------------------------------------------------


def changes_on(client, slug="acme", **query):
    return client.get(f"/t/{slug}/settings/history/", query).context["changes"]


def test_the_history_tells_who_changed_what_from_what_to_what(client, acme, owner):
    client.post("/t/acme/settings/change/", SENT)
    newest = changes_on(client)[0]
    assert newest.who == "owner@example.com"
    assert ("Time zone", "UTC", "Europe/Paris") in [(x.label, x.before, x.after) for x in newest.lines]


def test_the_history_tells_roles_in_words_and_tokens_that_ended(client, acme, owner):
    vera = make_user(acme, role="viewer", email="vera@example.com").memberships.get()
    change_role(vera, Role.MANAGER)
    token, _ = tokens.issue(acme, "Till")
    tokens.revoke(token)
    found = changes_on(client)
    role = next(x for x in found if x.kind == "person in the team" and x.verb == "Changed")
    assert [(x.label, x.before, x.after) for x in role.lines] == [("Role", "Viewer", "Manager")]
    ended = next(x for x in found if x.kind == "API token" and x.verb == "Changed")
    assert ended.lines[0].after == f"{timezone.now():%-d %B %Y, %H:}" + ended.lines[0].after[-2:]


def test_what_is_gone_stays_in_the_history(client, acme, owner):
    make_user(acme, role="viewer", email="vera@example.com").memberships.get().delete()
    newest = changes_on(client)[0]
    assert newest.verb == "Removed" and "vera@example.com" in newest.name


def test_the_history_of_another_tenant_is_not_there(client, acme, owner):
    other = make_tenant("other", name="Somebody Else")
    tokens.issue(other, "Their till")
    assert not [x for x in changes_on(client) if "Their" in x.name or "Somebody" in x.name]


def test_the_history_goes_on_page_by_page(client, acme, owner):
    for _ in range(PAGE + 3):
        tokens.issue(acme, "Till")
    first = changes_on(client)
    second = changes_on(client, before=first[-1].entry_id)
    assert len(first) == PAGE and second
    assert not {x.entry_id for x in first} & {x.entry_id for x in second}


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "²"])
def test_a_crafted_place_in_the_history_is_ignored(client, acme, owner, before):
    assert client.get("/t/acme/settings/history/", {"before": before}).status_code == 200
