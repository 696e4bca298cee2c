from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import SentProfile
from loyalty.models import Member, PointsEntry
from tests.factories import make_audience, make_member, make_tenant, make_tier, make_user
from tests.pages.builders import make_extension, make_troubled_run
from tests.services.builders import put_in, take_out

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


# Filters, pages, file ------------------------------------------------------------------------------


def names(answer) -> list[str]:
    assert answer.status_code == 200
    return [str(member) for member in answer.context["members"]]


def test_members_are_filtered_by_state_tier_and_audience(client, tenant):
    gold = make_tier(tenant)
    ann = make_member(tenant, first_name="Ann", tier=gold)
    ben = make_member(tenant, first_name="Ben", state="candidate")
    audience = make_audience(tenant, "vips")
    put_in(audience, ann, mark=False)
    put_in(audience, ben, mark=False)
    take_out(audience, ben, mark=False)
    for query, found in (
        ("?tier=gold", ["Ann"]),
        ("?tier=none", ["Ben"]),
        ("?state=candidate", ["Ben"]),
        ("?audience=vips", ["Ann"]),
        ("?tier=gold&state=candidate", []),
        ("?state=nonsense", ["Ann", "Ben"]),
    ):
        assert names(client.get(f"/t/acme/members/{query}")) == found


def test_who_did_not_arrive_is_found_until_it_is_mended(client, tenant):
    ann, extension = make_member(tenant, first_name="Ann"), make_extension(tenant)
    make_member(tenant, first_name="Ben")
    make_troubled_run(extension, make_member(make_tenant("other")))
    run = make_troubled_run(extension, ann)
    assert names(client.get("/t/acme/members/?only=not_arrived")) == ["Ann"]
    run.rows.update(healed_at=timezone.now())
    page = client.get("/t/acme/members/?only=not_arrived")
    assert names(page) == [] and "Everything that was sent has arrived" in page.content.decode()


def test_pages_go_both_ways(client, tenant):
    Member.objects.bulk_create(
        Member(tenant=tenant, external_id=f"M-{n}", first_name=f"N{n:03}") for n in range(120)
    )
    first = client.get("/t/acme/members/")
    assert first.context["previous_key"] is None
    second = client.get("/t/acme/members/", {"after": first.context["next_key"]})
    third = client.get("/t/acme/members/", {"after": second.context["next_key"]})
    assert names(second)[0] == "N050" and names(third) == [f"N{n:03}" for n in range(100, 120)]
    assert third.context["next_key"] is None
    back = client.get("/t/acme/members/", {"before": third.context["previous_key"]})
    assert names(back) == names(second)
    start = client.get("/t/acme/members/", {"before": back.context["previous_key"]})
    assert names(start) == names(first) and start.context["previous_key"] is None


def test_the_file_holds_the_filtered_members_of_this_tenant_alone(client, tenant):
    make_member(tenant, "=1+1", email="ann@example.com", points_balance=12, tier=make_tier(tenant))
    make_member(tenant, "M-2")
    make_member(make_tenant("other"), "M-3")
    answer = client.get("/t/acme/members.csv?tier=gold")
    body = b"".join(answer).decode()
    assert answer.streaming and "attachment" in answer["Content-Disposition"]
    assert body.count("\r\n") == 2 and "'=1+1,ann@example.com" in body and ",12," in body


def test_a_member_links_to_why_and_to_the_profile_there(client, tenant):
    member = make_member(tenant)
    extension = make_extension(tenant)
    SentProfile.objects.create(extension=extension, member=member, remote_id="01ABC")
    assert f"/t/acme/members/{member.pk}/why/" in client.get(f"/t/acme/members/{member.pk}/").content.decode()
    panel = client.get(f"/t/acme/members/{member.pk}/sent/").content.decode()
    assert "https://www.klaviyo.com/profile/01ABC" in panel


def test_what_was_sent_of_a_stranger_is_not_shown(client, tenant):
    stranger = make_member(make_tenant("other"))
    assert client.get(f"/t/acme/members/{stranger.pk}/sent/").status_code == 404


def test_more_filtered_members_ask_no_more_queries(client, tenant, count_queries):
    make_extension(tenant)
    tier, audience = make_tier(tenant), make_audience(tenant, "vips")

    def more():
        put_in(audience, make_member(tenant, tier=tier), mark=False)

    assert count_queries(more, "/t/acme/members/?tier=gold&audience=vips")
