"""An audience is built in a browser: the form follows each choice, counts as somebody types, and is saved."""

import pytest
from playwright.sync_api import expect

from loyalty.models import Audience
from portal.tenancy.models import User
from tests.factories import make_member, make_tenant, make_tier, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def tenant():
    tenant = make_tenant("acme", name="Acme Coffee")
    make_user(tenant, role="manager", email="ada@example.com")
    gold = make_tier(tenant)
    make_member(tenant, "C-1", first_name="Grace", last_name="Hopper", tier=gold, points_balance=1240)
    make_member(tenant, "C-2", first_name="Alan", last_name="Turing", points_balance=90)
    return tenant


def signed_in(client) -> str:
    client.force_login(User.objects.get(email="ada@example.com"))
    return client.cookies["sessionid"].value


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def page(request, browser, live_server, client, tenant):
    context = browser.new_context(viewport=request.param, base_url=live_server.url)
    context.set_default_timeout(10_000)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    context.add_cookies([{"name": "sessionid", "value": signed_in(client), "url": live_server.url}])
    opened.goto("/t/acme/audiences/new/")
    yield opened
    context.close()
    # Breaches of the content security policy are told on the console, too.
    assert said == []


def stays_in_its_width(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def is_drawn(page) -> None:
    """The form was drawn anew, and its parts listen."""
    expect(page.locator("#rule-builder:not(.htmx-added)")).to_be_visible()


def test_a_rule_is_built_counted_and_saved(page):
    page.get_by_role("link", name="A rule of your own").click()
    outcome = page.locator("#rule-outcome")
    expect(outcome).to_contain_text("Finish the rule")
    page.get_by_label("Name", exact=True).fill("Rich")
    page.get_by_label("Field").select_option("points_balance")
    page.get_by_label("Comparison").select_option("at_least")
    page.get_by_label("Value").type("50")
    expect(outcome).to_contain_text("2 of 2 members, 100 %")
    page.get_by_label("Value").type("0")
    expect(outcome).to_contain_text("1 of 2 members, 50 %")
    expect(outcome).to_contain_text("Grace Hopper")
    expect(page.get_by_label("Value")).to_be_focused()
    page.get_by_role("button", name="Add condition").click()
    expect(page.get_by_label("Field").nth(1)).to_be_focused()
    page.get_by_label("Field").nth(1).select_option("tier_slug")
    expect(page.get_by_label("Value")).to_have_count(2)
    is_drawn(page)
    page.get_by_label("Value").nth(1).select_option("gold")
    expect(outcome).to_contain_text("Members whose points balance is at least 500 and whose tier is Gold.")
    assert stays_in_its_width(page)
    page.get_by_role("button", name="Create this audience").click()
    expect(page).not_to_have_url("/t/acme/audiences/new/?start=empty")
    audience = Audience.objects.get()
    assert [one["field"] for one in audience.rule["all"]] == ["points_balance", "tier_slug"]
    assert audience.memberships.count() == 1


def test_a_wrong_value_is_told_beside_it_while_it_is_typed(page):
    page.get_by_role("link", name="Points to spend").click()
    page.get_by_label("Value").fill("many")
    expect(page.locator("#node-0-error")).to_have_text("Value must be a number.")
    page.get_by_label("Value").fill("5")
    expect(page.locator("#node-0-error")).to_have_text("")
    page.get_by_role("button", name="Add group").click()
    page.get_by_role("button", name="Remove group 2").click()
    expect(page.get_by_label("Field")).to_have_count(1)
    assert stays_in_its_width(page)


def test_a_choice_made_before_the_scripts_came_is_answered_when_they_do(page):
    held = []
    page.route("**/htmx-*.js", lambda route: held.append(route))
    address = page.get_by_role("link", name="A rule of your own").get_attribute("href")
    page.goto(f"/t/acme/audiences/new/{address}", wait_until="commit")
    page.get_by_label("Field").select_option("points_balance")
    assert held and page.get_by_label("Comparison").count() == 0
    held[0].continue_()
    expect(page.get_by_label("Comparison")).to_be_visible()
    expect(page.get_by_label("Field")).to_have_value("points_balance")
