from datetime import timedelta

import pytest
from django.utils import timezone

from loyalty.models import PointsEntry
from tests.factories import make_member, make_tenant, make_tier, make_user
from tests.pages.builders import make_extension, make_troubled_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="viewer"))
    return tenant


@pytest.mark.parametrize("asked", ["ada.l", "ADA.L", "+44 7911", "Shop-1", "ada"])
def test_a_person_is_found_by_mail_phone_or_id(client, tenant, asked):
    make_member(tenant, "shop-1", email="ada.lovelace@example.com", phone="+447911123456", first_name="Ada")
    make_member(tenant, "shop-2", first_name="Ben")
    found = client.get("/t/acme/members/", {"q": asked}).content.decode()
    assert ">Ada<" in found and ">Ben<" not in found


def test_nobody_of_another_tenant_is_found(client, tenant):
    make_member(make_tenant("other"), "shop-1", first_name="Ada")
    assert ">Ada<" not in client.get("/t/acme/members/", {"q": "shop-1"}).content.decode()


def test_a_member_shows_the_ledger_and_asks_for_what_was_sent(client, tenant):
    member = make_member(tenant, tier=make_tier(tenant), attributes={"store": "Soho"})
    PointsEntry.objects.create(
        tenant=tenant, member=member, kind="earn", points=120, balance_after=120, reason="Order 1001",
        idempotency_key="k", fingerprint="x", occurred_at=member.created_at,
    )  # fmt: skip
    page = client.get(f"/t/acme/members/{member.pk}/").content.decode()
    assert "Order 1001" in page and "+120" in page and "Soho" in page
    assert f"/t/acme/members/{member.pk}/sent/" in page


def test_the_panel_lists_rows_of_all_runs(client, tenant):
    member = make_member(tenant)
    extension = make_extension(tenant)
    runs = [make_troubled_run(extension, member) for _ in range(2)]
    page = client.get(f"/t/acme/members/{member.pk}/sent/").content.decode()
    assert all(f"#{run.pk}<" in page for run in runs)


def test_a_name_is_never_read_as_html(client, tenant):
    member = make_member(tenant, first_name="<script>alert(1)</script>")
    for address in ("/t/acme/members/", f"/t/acme/members/{member.pk}/"):
        assert "<script>alert" not in client.get(address).content.decode()


def test_more_members_ask_no_more_queries(client, tenant, count_queries):
    assert count_queries(lambda: make_member(tenant, tier=None), "/t/acme/members/")


def test_what_happened_stands_in_the_order_of_its_times_and_an_order_is_named_once(client, tenant):
    member = make_member(tenant)
    for number, days in ((1, 3), (2, 9), (3, 1)):
        PointsEntry.objects.create(
            tenant=tenant, member=member, kind="earn", points=10, balance_after=10, reason=f"Order R-{number}",
            order_ref=f"R-{number}", idempotency_key=str(number), fingerprint="x",
            occurred_at=timezone.now() - timedelta(days=days),
        )  # fmt: skip
    page = client.get(f"/t/acme/members/{member.pk}/").content.decode()
    assert page.index("R-3") < page.index("R-1") < page.index("R-2")
    assert page.count("R-1") == 1
