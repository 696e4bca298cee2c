"""Sign in → overview → a run → its rows, in a real browser, at a desk and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_row, make_run, make_troubled_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def world():
    tenant = make_tenant("acme", name="Acme Coffee")
    make_user(tenant, role="manager", email="ada@example.com")
    extension = make_extension(tenant, is_practice=True)
    member = make_member(tenant, first_name="Grace", last_name="Hopper")
    run = make_troubled_run(extension, member, reason="After the import")
    make_row(run, make_member(tenant), "sent", action="updated", changes={"Points Balance": [90, 120]})
    return extension, run


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def page(request, browser, live_server):
    context = browser.new_context(viewport=request.param, base_url=live_server.url)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    # Breaches of the content security policy are told on the console, too.
    assert said == []


def sign_in(page):
    page.goto("/")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def stays_in_its_width(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_from_the_log_in_to_the_rows_of_a_run(page, world):
    sign_in(page)
    expect(page.get_by_text("nothing leaves this machine")).to_be_visible()
    assert stays_in_its_width(page)
    if page.viewport_size == PHONE:
        page.get_by_text("Menu", exact=True).click()
    page.get_by_role("link", name="Runs", exact=True).locator("visible=true").click()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    assert stays_in_its_width(page)
    page.get_by_role("link", name="Everything").locator("visible=true").last.click()
    expect(page.get_by_text("3 of 4 arrived; 1 refused by")).to_be_visible()
    assert stays_in_its_width(page)
    page.get_by_role("link", name="See this row").click()
    expect(page.get_by_role("link", name="Grace Hopper")).to_be_visible()
    page.get_by_role("link", name="Grace Hopper").click()
    expect(page.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    expect(page.get_by_role("heading", name="What was sent")).to_be_visible()
    assert stays_in_its_width(page)


def test_an_open_run_moves_by_itself_and_settles(page, world):
    extension, _ = world
    run = make_run(extension, status="running", phase="send", planned=10, sent=2)
    sign_in(page)
    page.goto(f"/t/acme/runs/{run.pk}/")
    expect(page.get_by_text("2 of 10 have arrived so far.")).to_be_visible()
    assert page.title().startswith("20 %")
    type(run).objects.filter(pk=run.pk).update(sent=7)
    expect(page.get_by_text("7 of 10 have arrived so far.")).to_be_visible()
    assert page.title().startswith("70 %")
    type(run).objects.filter(pk=run.pk).update(sent=10, status="succeeded", phase="done")
    expect(page.get_by_text("All 10 arrived.")).to_be_visible()


def test_colours_are_kept_from_page_to_page(page, world):
    sign_in(page)
    if page.viewport_size == PHONE:
        page.get_by_text("Menu", exact=True).click()
    switch = page.get_by_role("button", name="Colours").locator("visible=true")
    switch.click()
    switch.click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
