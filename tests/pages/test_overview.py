from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import AudienceMapping, FieldMapping, FreshnessSample, RateSample, SentProfile
from tests.factories import make_audience, make_member, make_tenant, make_user
from tests.pages.builders import SECRET, make_extension, make_run, make_troubled_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme", name="Acme Coffee")
    client.force_login(make_user(tenant, role="owner"))
    return tenant


def page(client, address="/t/acme/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    "address", ["/t/acme/", "/t/acme/runs/", "/t/acme/members/", "/t/acme/integrations/"]
)
def test_an_empty_programme_says_what_will_be_here(client, tenant, address):
    assert 'class="empty"' in page(client, address)


def test_tiles_count_members_points_and_people_with_an_open_failure(client, tenant):
    extension = make_extension(tenant)
    member = make_member(tenant, points_balance=1200)
    make_member(tenant, points_balance=300)
    make_troubled_run(extension, member)
    make_troubled_run(extension, member)
    found = page(client)
    assert ">1,500<" in found
    assert "1 person is</strong>" in found or "1 person is not up to date" in found


def test_what_was_mended_is_no_open_failure(client, tenant):
    run = make_troubled_run(make_extension(tenant), make_member(tenant))
    run.rows.update(healed_at=timezone.now())
    assert "nothing needs you" in page(client)


def test_a_new_programme_is_led_by_its_first_steps(client, tenant):
    found = page(client)
    assert "0 of 6 done" in found
    assert "Connect your account" in found


def test_steps_that_are_done_are_ticked_off(client, tenant):
    make_extension(tenant, account_id="AbC123")
    make_member(tenant)
    found = page(client)
    assert "3 of 6 done" in found
    assert 'Connect your account<span class="hidden-text">, done' in found


def test_a_connection_that_was_removed_there_is_to_be_connected_again(client, tenant):
    make_extension(tenant, account_id="AbC123", is_active=False, removed_at=timezone.now())
    found = page(client)
    assert "0 of 6 done" in found and 'Connect your account<span class="hidden-text">, open' in found


def test_the_first_steps_go_when_all_are_done(client, tenant):
    extension = make_extension(tenant, account_id="AbC123")
    make_member(tenant)
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points Balance")
    AudienceMapping.objects.create(extension=extension, audience=make_audience(tenant), list_name="VIP")
    make_run(extension, sent=1)
    assert "First steps" not in page(client)


def test_a_list_with_a_problem_needs_a_person(client, tenant):
    AudienceMapping.objects.create(
        extension=make_extension(tenant),
        audience=make_audience(tenant),
        list_name="VIP Customers",
        problem="The list was deleted there.",
    )
    found = page(client)
    assert "The list VIP Customers is not kept in step." in found
    assert "The list was deleted there." in found


def test_what_waits_is_counted(client, tenant):
    extension = make_extension(tenant)
    SentProfile.objects.create(
        extension=extension, member=make_member(tenant), due_at=timezone.now() - timedelta(seconds=75)
    )
    assert "change waits, the oldest for 1 min 15 s" in page(client).replace("</strong>", "")


def test_charts_by_the_hour_say_the_same_in_words(client, tenant):
    extension = make_extension(tenant, account_id="AbC123")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    RateSample.objects.create(pool="klaviyo:AbC123:private_key:", minute=hour, used=40, calls=12)
    FreshnessSample.objects.create(extension=extension, minute=hour, waiting=3, oldest_seconds=90)
    found = page(client)
    assert "12 calls in 24 hours; the busiest minute used 40 % of our part" in found
    assert "The longest that a change waited in the last 24 hours was 1 min 30 s." in found


def test_charts_of_another_account_are_not_shown(client, tenant):
    make_extension(tenant, account_id="AbC123")
    RateSample.objects.create(pool="klaviyo:Other1:private_key:", minute=timezone.now(), used=40, calls=12)
    assert "No call to Klaviyo was measured" in page(client)


def test_the_chart_has_its_sentence_and_its_numbers(client, tenant):
    make_run(make_extension(tenant), sent=40)
    found = page(client)
    assert "40 changes arrived in the last 14 days; nothing failed." in found
    assert "The numbers" in found


def test_a_connection_that_needs_a_person_says_why(client, tenant):
    make_extension(tenant, health="attention", health_reason="Klaviyo no longer accepts our key.")
    assert "Klaviyo no longer accepts our key." in page(client)


def test_a_connection_that_was_removed_there_says_once_that_nothing_is_lost(client, tenant):
    words = "Removed in Klaviyo: somebody there took it away. Reconnect; nothing is lost."
    make_extension(
        tenant, is_active=False, removed_at=timezone.now(), health="attention", health_reason=words
    )
    found = page(client)
    assert words in found
    assert found.lower().count("nothing is lost") == 1


def test_a_practice_connection_carries_the_band(client, tenant):
    make_extension(tenant, is_practice=True)
    assert "nothing leaves this machine" in page(client, "/t/acme/members/")


@pytest.mark.parametrize("address", ["/t/acme/", "/t/acme/integrations/"])
def test_no_page_holds_the_key(client, tenant, address):
    make_extension(tenant)
    assert SECRET not in page(client, address)


def test_switching_off_and_on_again_goes_through_the_service(client, tenant):
    extension = make_extension(tenant)
    address = f"/t/acme/integrations/{extension.pk}/active/"
    assert "Nothing more is sent" in page(client, address)
    client.post(address, {"active": "0"})
    extension.refresh_from_db()
    assert not extension.is_active
    client.post(address, {"active": "1", "waiting": "discard"})
    extension.refresh_from_db()
    assert extension.is_active and extension.events_since


@pytest.mark.parametrize(
    "address", ["/t/acme/", "/t/acme/runs/", "/t/acme/members/", "/t/acme/integrations/", "/login/"]
)
def test_pages_keep_to_the_content_security_policy(client, tenant, address):
    answer = client.get(address, follow=True)
    found = answer.content.decode()
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert " style=" not in found and "<style" not in found and " onclick=" not in found
    assert "<script>" not in found


def test_today_is_compared_and_new_members_counted_in_words(client, tenant):
    make_run(make_extension(tenant), sent=40)
    make_member(tenant)
    found = page(client)
    assert "40 more than yesterday" in found and "1 new today" in found
