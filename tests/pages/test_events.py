import json
import re
from html import unescape

import pytest
from django.utils import timezone

from integrations.models import Delivery, EventMapping, Extension
from loyalty.models import OutboxEvent
from loyalty.rules.event_kinds import KINDS
from tests.factories import make_member, make_tenant, make_user
from tests.pages.builders import make_extension

pytestmark = pytest.mark.django_db
EVENT = "/t/acme/events/points_earned/"


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager", email="ada@shop.example"))
    return tenant


@pytest.fixture
def extension(tenant):
    return make_extension(tenant)


def page(client, address="/t/acme/events/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def post(client, address, **given) -> str:
    return unescape(client.post(address, given, follow=True).content.decode())


def deliver(extension, kind="points_earned", state="sent", member=None):
    event = OutboxEvent.objects.create(
        tenant=extension.tenant,
        member=member or make_member(extension.tenant),
        kind=kind,
        properties={},
        occurred_at=timezone.now(),
        routed_at=timezone.now(),
    )
    settled_at = timezone.now() if state == "sent" else None
    Delivery.objects.create(
        extension=extension, event=event, member_id=event.member_id, state=state, settled_at=settled_at
    )


def row_of(html: str, label: str) -> str:
    (found,) = [row for row in html.split("<tr>") if f">{label}</a>" in row]
    return re.sub(r"<[^>]+>", " ", found)


# The list ------------------------------------------------------------------------------------------


def test_every_kind_is_listed_with_its_metric(client, extension):
    EventMapping.objects.create(extension=extension, kind="tier_lost", metric="Acme Lost", is_enabled=False)
    html = page(client)
    for kind in KINDS.values():
        assert kind.help in row_of(html, kind.label)
    lost = row_of(html, "Tier lost")
    assert "Acme Lost" in lost and "usually Tier Lost" in lost and "Off" in lost and "Switch on" in lost


def test_what_was_sent_and_what_waits_is_counted(client, extension):
    for _ in range(3):
        deliver(extension)
    deliver(extension, state="open")
    deliver(make_extension(make_tenant("other")))
    assert re.search(r"\b3\s+1 waiting", row_of(page(client), "Points earned"))


def test_more_events_ask_no_more_queries(client, extension, count_queries):
    assert count_queries(lambda: deliver(extension), "/t/acme/events/")


def test_without_a_connection_the_page_says_what_will_be_sent(client, tenant):
    html = page(client)
    assert "No connection yet" in html and "/t/acme/integrations/new/" in html and "Tier achieved" in html
    assert "No connection yet" in page(client, EVENT)


def test_events_that_are_off_for_the_whole_connection_are_told_of(client, extension):
    Extension.objects.update(events_enabled=False)
    html = page(client)
    assert f"/t/acme/integrations/{extension.pk}/settings/" in html
    assert "On, but not sent" in row_of(html, "Points earned")


def test_a_connection_that_is_off_is_told_of(client, extension):
    Extension.objects.update(is_active=False)
    assert "is switched off" in page(client)


def test_of_several_connections_the_one_that_is_on_comes_first(client, tenant):
    old = make_extension(tenant, name="Old", is_active=False)
    make_extension(tenant, name="Shop")
    EventMapping.objects.create(extension=old, kind="tier_lost", metric="Old Lost")
    assert "Old Lost" not in page(client)
    assert "Old Lost" in page(client, f"/t/acme/events/?connection={old.pk}")


def test_the_connection_of_another_tenant_is_not_found(client, extension):
    other = make_extension(make_tenant("other"))
    for address in ("", "points_earned/", "points_earned/edit/", "points_earned/sample/"):
        assert client.get(f"/t/acme/events/{address}?connection={other.pk}").status_code == 404
    assert client.post(f"{EVENT}switch/", {"connection": other.pk, "on": "0"}).status_code == 404
    assert not EventMapping.objects.exists()


# One kind ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_shows_what_it_tells_with_tags_and_the_whole_body(client, extension, kind):
    html = page(client, f"/t/acme/events/{kind}/")
    for field in KINDS[kind].fields:
        assert "{{ event|lookup:'" + field.name + "' }}" in html
    shown = json.loads(re.search(r"<pre[^>]*>(.*?)</pre>", html, re.S).group(1))
    attributes = shown["data"]["attributes"]
    assert attributes["metric"]["data"]["attributes"]["name"] == KINDS[kind].metric
    assert attributes["properties"] == KINDS[kind].sample


def test_there_is_no_page_of_a_kind_that_does_not_exist(client, extension):
    for address in ("", "edit/", "sample/"):
        assert client.get(f"/t/acme/events/points_stolen/{address}").status_code == 404


def test_a_viewer_is_offered_no_change(client, extension):
    client.force_login(make_user(extension.tenant, role="viewer"))
    for address in ("/t/acme/events/", EVENT):
        html = page(client, address)
        assert "Switch off" not in html and "Send a sample" not in html and "/edit/" not in html
    for address in ("edit/", "switch/", "sample/"):
        assert (
            client.post(EVENT + address, {"on": "0", "metric": "X", "email": "a@b.example"}).status_code
            == 403
        )
    assert not EventMapping.objects.exists()


# The switch ----------------------------------------------------------------------------------------


def test_a_switch_without_anything_waiting_works_at_once(client, extension):
    assert "is no longer sent" in post(client, f"{EVENT}switch/", on="0")
    assert not EventMapping.objects.get().is_enabled
    assert "is sent from now on" in post(client, f"{EVENT}switch/", on="1")
    assert EventMapping.objects.get().is_enabled


def test_what_waits_is_asked_about_before_the_switch(client, extension):
    deliver(extension, state="open")
    html = post(client, f"{EVENT}switch/", on="0")
    assert "1 event is waiting to be sent" in html and not EventMapping.objects.exists()
    html = post(client, f"{EVENT}switch/", on="0", waiting="discard", page="event")
    assert "1 event that waited was discarded." in html and "Change the metric" in html
    assert Delivery.objects.get().state == "held"


def test_what_waits_may_be_sent_all_the_same(client, extension):
    deliver(extension, state="open")
    post(client, f"{EVENT}switch/", on="0", waiting="send")
    assert not EventMapping.objects.get().is_enabled and Delivery.objects.get().state == "open"


# Another name --------------------------------------------------------------------------------------


def test_a_new_name_is_confirmed_with_what_stays_under_the_old(client, extension):
    for _ in range(2):
        deliver(extension)
    html = post(client, f"{EVENT}edit/", metric="Acme Points")
    assert "cannot rename a metric" in html and "stay under “Points Earned”: 2 of the last 30 days" in html
    assert not EventMapping.objects.exists()
    html = post(client, f"{EVENT}edit/", metric="Acme Points", confirmed="Acme Points")
    assert "is sent as “Acme Points” from now on" in html
    assert EventMapping.objects.get().metric == "Acme Points"


def test_a_confirmation_is_of_one_name_only(client, extension):
    post(client, f"{EVENT}edit/", metric="Other", confirmed="Acme Points")
    assert not EventMapping.objects.exists()


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("Tier Achieved", "is the metric of “Tier achieved” already"),
        ("$points", "begins with $"),
        ("", "required"),
        ("x" * 128, "at most 127"),
    ],
)
def test_a_name_that_cannot_be_is_refused_beside_the_field(client, extension, metric, words):
    html = post(client, f"{EVENT}edit/", metric=metric, confirmed=metric)
    assert words in html and 'class="error"' in html
    assert not EventMapping.objects.exists()


def test_the_usual_name_is_offered_where_it_was_changed(client, extension):
    assert "Go back to the usual name" not in page(client, f"{EVENT}edit/")
    EventMapping.objects.create(extension=extension, kind="points_earned", metric="Acme Points")
    assert "Go back to the usual name" in page(client, f"{EVENT}edit/")


def test_the_same_name_changes_nothing(client, extension):
    post(client, f"{EVENT}edit/", metric="Points Earned")
    assert not EventMapping.objects.exists()


# A sample ------------------------------------------------------------------------------------------


def test_a_sample_is_offered_to_ones_own_address_and_says_what_it_does(client, extension):
    html = page(client, f"{EVENT}sample/")
    assert 'value="ada@shop.example"' in html and "may e-mail this address" in html
    assert "example.com" in html  # addresses that are dropped there


def test_the_address_of_a_member_is_refused_beside_the_field(client, extension):
    make_member(extension.tenant, email="ann@shop.example")
    html = post(client, f"{EVENT}sample/", email="Ann@shop.example")
    assert "is the address of a member" in html and 'class="error"' in html


def test_a_sample_that_cannot_be_sent_says_why(client, extension):
    Extension.objects.update(secret=None)
    html = post(client, f"{EVENT}sample/", email="test@shop.example")
    assert "is not connected yet" in html and 'role="alert"' in html


@pytest.mark.parametrize("address", ["edit/", "sample/"])
def test_without_a_connection_nothing_can_be_changed(client, tenant, address):
    assert "Make one first" in post(client, EVENT + address, metric="X", email="a@b.example")
