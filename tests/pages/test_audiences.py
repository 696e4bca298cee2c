"""Audiences and the lists that they become, as pages show them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import AudienceMapping, SentMembership
from integrations.services import list_links
from loyalty.models import Audience, AudienceMember, DirtyMember
from tests.factories import make_audience, make_member, make_tenant, make_tier, make_user
from tests.pages.builders import make_extension

pytestmark = pytest.mark.django_db
RULE = {"field": "tier_slug", "op": "equals", "value": "gold"}


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager"))
    return tenant


@pytest.fixture
def extension(tenant):
    return make_extension(tenant)


@pytest.fixture
def gold(tenant):
    make_tier(tenant, "gold")
    return make_audience(tenant, "gold", rule=RULE, name="Gold members")


def page(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def stay(audience, member=None, **fields):
    member = member or make_member(audience.tenant)
    return AudienceMember.objects.create(
        audience=audience, member=member, **{"joined_at": timezone.now(), **fields}
    )


def link(extension, audience, name="VIP", **fields) -> AudienceMapping:
    return AudienceMapping.objects.create(
        extension=extension,
        audience=audience,
        list_name=name,
        **{"list_id": "L1", "read_at": timezone.now(), **fields},
    )


def test_each_audience_stands_with_its_rule_members_and_lists(client, tenant, extension, gold):
    for _ in range(3):
        stay(gold)
    stay(gold, left_at=timezone.now() + timedelta(minutes=1))
    make_audience(tenant, "press", name="Press")
    link(extension, gold)
    found = page(client, "/t/acme/audiences/")
    assert "Gold members" in found and "Gold" in found.split("rule-words")[1][:80]
    assert 'data-label="Members">3<' in found
    assert "Kept by hand" in found and "VIP" in found and "Mirrored" in found


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Mirrored"),
        ({"read_at": None}, "Not yet sent"),
        ({"is_paused": True}, "Paused"),
        ({"problem": "The list is gone."}, "The list is gone."),
        (
            {"ending_at": timezone.now(), "numbers": {"removing": 4}},
            "0 of 4 people whom we added are still on the list",
        ),
    ],
)
def test_the_state_of_a_list_is_said_in_words(client, extension, gold, fields, words):
    link(extension, gold, **fields)
    assert words in page(client, "/t/acme/audiences/")
    assert words in page(client, f"/t/acme/audiences/{gold.pk}/")


def test_without_audiences_there_is_the_one_button(client, tenant):
    found = page(client, "/t/acme/audiences/")
    assert 'class="empty"' in found and found.count("/t/acme/audiences/new/") == 1


def test_a_viewer_is_offered_no_change(client, tenant, extension, gold):
    mapping = link(extension, gold)
    client.force_login(make_user(tenant, role="viewer"))
    found = page(client, "/t/acme/audiences/") + page(client, f"/t/acme/audiences/{gold.pk}/")
    assert "New audience" not in found and "/delete/" not in found
    assert f"/lists/{mapping.pk}/" not in found and "/link/" not in found


def test_nothing_of_another_tenant_is_seen(client, tenant):
    other = make_tenant("other")
    theirs = make_audience(other, name="Their secret group")
    link(make_extension(other), theirs)
    assert "Their secret group" not in page(client, "/t/acme/audiences/")
    for address in ("", "delete/", "link/"):
        assert client.get(f"/t/acme/audiences/{theirs.pk}/{address}").status_code == 404


def test_more_audiences_and_lists_ask_no_more_queries(client, tenant, extension, count_queries):
    def make():
        audience = make_audience(tenant)
        link(extension, audience, name=audience.name, list_id=audience.slug)
        stay(audience)

    assert count_queries(make, "/t/acme/audiences/")


def test_more_lists_and_members_of_one_audience_ask_no_more_queries(
    client, tenant, extension, gold, count_queries
):
    numbers = iter(range(1000))

    def make():
        number = next(numbers)
        mapping = link(extension, gold, name=f"List {number}", list_id=f"L{number}")
        member = stay(gold).member
        SentMembership.objects.create(mapping=mapping, member=member, origin="added")

    assert count_queries(make, f"/t/acme/audiences/{gold.pk}/")


def test_one_audience_tells_who_came_and_went_and_links_to_the_list(client, extension, gold):
    week = timezone.now() - timedelta(days=9)
    for _ in range(5):
        stay(gold, joined_at=week)
    stay(gold, make_member(gold.tenant, first_name="Ada"))
    stay(gold, joined_at=week, left_at=timezone.now())
    mapping = link(extension, gold, list_id="Ab12Cd")
    for origin in ("added", "added", "found"):
        SentMembership.objects.create(mapping=mapping, member=make_member(gold.tenant), origin=origin)
    found = page(client, f"/t/acme/audiences/{gold.pk}/")
    tiles = [part.partition("<")[0] for part in found.split('class="tile-number">')[1:]]
    assert tiles[:3] == ["6", "1", "1"]
    assert "Ada" in found
    assert "2 are on it by us, and 1 of your members was there before" in found
    assert 'href="https://www.klaviyo.com/list/Ab12Cd" target="_blank" rel="noopener"' in found
    assert f"/t/acme/audiences/{gold.pk}/people/" in found and f"/t/acme/audiences/{gold.pk}/why/" in found


def test_the_page_looks_again_only_while_a_list_is_being_unlinked(client, extension, gold):
    mapping = link(extension, gold)
    assert "every 4s" not in page(client, f"/t/acme/audiences/{gold.pk}/")
    mapping.ending_at = timezone.now()
    mapping.save()
    assert "every 4s" in page(client, f"/t/acme/audiences/{gold.pk}/")


def test_an_audience_is_deleted_after_saying_whom_it_concerns(client, tenant, gold):
    member = stay(gold).member
    address = f"/t/acme/audiences/{gold.pk}/delete/"
    assert "1 member</strong> is in it now" in page(client, address)
    assert Audience.objects.filter(pk=gold.pk).exists()
    told = client.post(address, follow=True).content.decode()
    assert "Gold members is deleted. Nothing else changes for the 1 member in it." in told
    assert not Audience.objects.filter(pk=gold.pk).exists()
    assert DirtyMember.objects.filter(member_id=member.pk).exists()


def test_a_linked_audience_is_not_deleted(client, extension, gold):
    mapping = link(extension, gold)
    address = f"/t/acme/audiences/{gold.pk}/delete/"
    found = page(client, address)
    assert "cannot be deleted while a list follows it" in found
    assert f"/t/acme/lists/{mapping.pk}/unlink/" in found
    told = client.post(address, follow=True).content.decode()
    assert "is linked to “VIP”. Unlink that first." in told
    assert Audience.objects.filter(pk=gold.pk).exists()
    list_links.leave_everybody(mapping)
    client.post(address)
    assert not Audience.objects.filter(pk=gold.pk).exists()


@pytest.mark.parametrize(
    "address", ["audiences/", "audiences/{}/", "audiences/{}/link/", "audiences/{}/delete/"]
)
def test_pages_keep_to_the_content_security_policy_and_never_read_a_name_as_html(
    client, tenant, extension, address
):
    audience = make_audience(tenant, name="<script>alert(1)</script>")
    link(extension, audience, name="<script>alert(2)</script>", problem="<script>alert(3)</script>")
    found = page(client, "/t/acme/" + address.format(audience.pk))
    assert "<script>" not in found and " style=" not in found and " onclick=" not in found
