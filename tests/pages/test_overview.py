import pytest
from django.utils import timezone

from tests.factories import make_member, make_tenant, make_user
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


@pytest.mark.parametrize("address", ["/t/acme/", "/t/acme/runs/", "/t/acme/members/", "/t/acme/connection/"])
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


def test_the_chart_has_its_sentence_and_its_numbers(client, tenant):
    make_run(make_extension(tenant), sent=40)
    found = page(client)
    assert "40 changes arrived in the last 14 days; nothing failed." in found
    assert "The numbers" in found


def test_a_connection_that_needs_a_person_says_why(client, tenant):
    make_extension(tenant, health="attention", health_reason="Klaviyo no longer accepts our key.")
    assert "Klaviyo no longer accepts our key." in page(client)


def test_a_practice_connection_carries_the_band(client, tenant):
    make_extension(tenant, is_practice=True)
    assert "nothing leaves this machine" in page(client, "/t/acme/members/")


@pytest.mark.parametrize("address", ["/t/acme/", "/t/acme/connection/"])
def test_no_page_holds_the_key(client, tenant, address):
    make_extension(tenant)
    assert SECRET not in page(client, address)


def test_switching_off_and_on_again_goes_through_the_service(client, tenant):
    extension = make_extension(tenant)
    address = f"/t/acme/connection/{extension.pk}/active/"
    assert "Nothing more is sent" in page(client, address)
    client.post(address, {"active": "0"})
    extension.refresh_from_db()
    assert not extension.is_active
    client.post(address, {"active": "1", "waiting": "discard"})
    extension.refresh_from_db()
    assert extension.is_active and extension.events_since


@pytest.mark.parametrize(
    "address", ["/t/acme/", "/t/acme/runs/", "/t/acme/members/", "/t/acme/connection/", "/login/"]
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
