"""Linking an audience to one of a thousand lists by the keyboard, and by the phone's width."""

import os
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from integrations.gateway import registry
from integrations.models import AudienceMapping, SentMembership
from loyalty.models import AudienceMember
from tests.factories import make_audience, make_member, make_tenant, make_tier, make_user
from tests.pages.builders import make_extension

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("SHOTS", "")  # a folder for pictures, for whoever wants to look


@pytest.fixture
def remote(settings):
    settings.DESTINATIONS = ["tests.fakes.FakeDestination"]
    registry.destinations.cache_clear()
    yield registry.get("fake").remote
    registry.destinations.cache_clear()


@pytest.fixture
def gold(transactional_db, remote):
    """Gold members with a list that is mirrored, one that is being unlinked, and a thousand lists to choose."""
    cache.clear()
    tenant = make_tenant("acme", name="Acme Coffee")
    make_user(tenant, role="owner", email="owner@acme.test")
    make_tier(tenant, "gold")
    extension = make_extension(tenant, destination="fake", name="Fake", account_id="A1")
    rule = {"field": "tier_slug", "op": "equals", "value": "gold"}
    gold = make_audience(tenant, "gold", name="Gold members", rule=rule, refreshed_at=timezone.now())
    make_audience(tenant, "press", name="Press and friends")
    remote.lists.update({f"L{number}": f"Campaign {number}" for number in range(1000)})
    remote.lists["LV"] = "VIP Customers"
    remote.double_opt_in = {"LV"}
    remote.on_list["LV"] = [f"P{number}" for number in range(12)]
    people = [make_member(tenant, first_name=f"Person {number}") for number in range(6)]
    for member in people:
        AudienceMember.objects.create(audience=gold, member=member, joined_at=timezone.now())
    now = timezone.now()
    counted = {"on_list": 48000, "may_receive": 1700, "awaiting": 200, "looked_at": 2000}
    mirrored = AudienceMapping.objects.create(
        extension=extension, audience=gold, list_name="Gold customers", list_id="L1", read_at=now,
        numbers=counted, numbers_at=now - timedelta(hours=1),
    )  # fmt: skip
    ending = AudienceMapping.objects.create(
        extension=extension, audience=gold, list_name="Old gold", list_id="L2", read_at=now, ending_at=now,
        numbers={"removing": 5},
    )  # fmt: skip
    AudienceMapping.objects.create(
        extension=extension, audience=gold, list_name="Gone", list_id="L3", read_at=now,
        problem="The list “Gone” does not exist any more. Choose another list, or let it be made anew.",
    )  # fmt: skip
    for member in people[:3]:
        SentMembership.objects.create(mapping=mirrored, member=member, origin="added")
        SentMembership.objects.create(mapping=ending, member=member, origin="added")
    return gold


@pytest.fixture
def page(browser, live_server, gold):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{live_server.url}/login/")
    page.fill("#id_username", "owner@acme.test")
    page.fill("#id_password", "password")
    page.click("button[type=submit]")
    page.wait_for_url("**/t/acme/**")
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    assert page.problems == []
    context.close()


def shoot(page, name):
    """Pictures wide and narrow, light and dark; and at phone width nothing scrolls sideways."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide on {width} px"
        for scheme in ("light", "dark") if SHOTS else ():
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_one_of_a_thousand_lists_is_found_by_typing_and_linked(page, live_server, gold):
    page.goto(f"{live_server.url}/t/acme/audiences/{gold.pk}/link/")
    field = page.get_by_role("combobox", name="List in Fake")
    field.wait_for()
    assert page.get_by_role("combobox", name="Audience").input_value() == "Gold members (6)"
    field.click()
    assert page.locator("#id_list_id-listbox [role=option]").count() == 100
    assert "901 more" in page.locator("#id_list_id-listbox .more").inner_text()
    field.fill("vip")
    assert page.locator("#id_list_id-listbox [role=option]").count() == 1
    assert field.get_attribute("aria-activedescendant") == "id_list_id-option-0"
    shoot(page, "list_link_open")
    field.press("Escape")
    assert field.input_value() == "" and field.get_attribute("aria-expanded") == "false"
    field.press("ArrowDown")
    field.fill("campaign 99")
    field.press("ArrowDown")
    field.press("ArrowUp")
    field.press("Enter")
    assert field.input_value() == "Campaign 99"
    field.fill("vip c")
    field.press("Enter")
    page.get_by_text(
        "Gold members (6) joins VIP Customers; leavers are removed; 12 people already there stay."
    ).wait_for()
    assert page.get_by_text("never confirmed get no e-mail").is_visible()
    shoot(page, "list_link")
    page.get_by_role("button", name="Link the audience to the list").click()
    page.get_by_text("is linked to “VIP Customers”").wait_for()
    assert AudienceMapping.objects.get(list_id="LV").audience == gold


def test_a_new_list_is_named_in_the_same_form(page, live_server, gold):
    page.goto(f"{live_server.url}/t/acme/audiences/{gold.pk}/link/")
    page.get_by_text("A new list", exact=True).click()
    assert not page.get_by_role("combobox", name="List in Fake").is_visible()
    page.fill("#id_name", "campaign 7")
    page.get_by_text("Gold members (6) becomes the new list campaign 7").wait_for()
    page.get_by_role("button", name="Link the audience to the list").click()
    page.get_by_role("button", name="Use the list “Campaign 7”").wait_for()
    shoot(page, "list_link_refused")
    page.get_by_role("button", name="Use the list “Campaign 7”").click()
    page.get_by_text("is linked to “Campaign 7”").wait_for()


def test_the_pages_of_audiences_fit_and_count_without_loading_anew(page, live_server, gold, remote):
    base = f"{live_server.url}/t/acme"
    page.goto(f"{base}/audiences/")
    shoot(page, "audiences")
    page.goto(f"{base}/audiences/{gold.pk}/")
    assert page.get_by_text("3 of 5 people whom we added are still on the list.").is_visible()
    shoot(page, "audience")
    remote.profiles["P1"] = {"values": {}, "properties": {}}
    remote.on_list["L1"] = ["P1"]
    card = page.get_by_role("article", name="List Gold customers")
    card.get_by_role("button", name="Count now").click()
    card.get_by_text(re.compile("Counted in Fake just now")).wait_for()
    assert "Of the first" not in card.inner_text()
    for name, what in (("list_edit", ""), ("list_unlink", "unlink/")):
        for mapping in AudienceMapping.objects.order_by("pk"):
            page.goto(f"{base}/lists/{mapping.pk}/{what}")
            shoot(page, f"{name}-{mapping.list_name.replace(' ', '_')}")
    page.goto(f"{base}/audiences/{gold.pk}/delete/")
    shoot(page, "audience_delete")
