"""A sample event over HTTP: what arrives at Klaviyo, and what a tag makes of it."""

import pytest
from django.template import Context, Engine

from integrations.gateway import registry
from tests.factories import make_tenant, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def extension(connect, client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager", email="ada@shop.example"))
    return connect(tenant)


def send(client, email="test@shop.example"):
    return client.post("/t/acme/events/points_earned/sample/", {"email": email}, follow=True).content.decode()


def test_it_arrives_and_starts_the_flow_that_waits_for_it(client, extension, account):
    account.flow("Thank you", metric="Points Earned")
    assert "took a sample of" in send(client)
    account.wait(lambda account: account.events())
    (event,) = account.events()
    assert event["metric"] == "Points Earned" and event["properties"]["Sample"] is True
    assert account.profile(email="test@shop.example")
    account.wait(lambda account: account.flow_log())


def test_each_tag_of_the_page_shows_what_arrived(client, extension, account):
    send(client)
    account.wait(lambda account: account.events())
    (event,) = account.events()
    destination = registry.get("klaviyo")
    engine = Engine(builtins=["tests.klaviyo.template_language"])
    for name, value in event["properties"].items():
        shown = engine.from_string(destination.event_tag([name])).render(
            Context({"event": event["properties"]}, use_l10n=False)
        )
        assert shown == str(value)


def test_what_klaviyo_refuses_is_said_in_words(client, extension, account):
    account.scopes(["accounts:read"])
    html = send(client)
    assert "events:write" in html and not account.events()
