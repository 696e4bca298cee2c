"""Tags are found and copied in a real browser, and the page says so aloud."""

import pytest
from playwright.sync_api import expect

from integrations.models import FieldMapping
from tests.browser.test_first_path import DESK, PHONE, sign_in, stays_in_its_width
from tests.factories import make_tenant, make_user
from tests.pages.builders import make_extension

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TAG = "{{ person|lookup:'Points Balance' }}"


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def page(request, browser, live_server):
    tenant = make_tenant("acme", name="Acme Coffee")
    make_user(tenant, role="viewer", email="ada@example.com")
    extension = make_extension(tenant)
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points Balance")
    context = browser.new_context(viewport=request.param, base_url=live_server.url)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    sign_in(opened)
    yield opened
    context.close()
    assert said == []


def test_a_tag_goes_to_the_clipboard_and_it_is_said(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/t/acme/dictionary/")
    assert stays_in_its_width(page)
    page.get_by_role("button", name="the tag of Points Balance").click()
    expect(page.locator("p[role=status]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == TAG


def test_without_a_clipboard_the_tag_is_selected(page):
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto("/t/acme/dictionary/")
    page.get_by_role("button", name="the tag of Points Balance").click()
    assert page.evaluate("String(getSelection())") == TAG


def test_a_name_is_found_while_it_is_typed_and_can_be_copied(page):
    page.goto("/t/acme/dictionary/")
    page.get_by_label("Find a name").press_sequentially("points bal")
    expect(page.get_by_text("Order Id", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="the tag of Points Balance")).to_be_visible()
    expect(page.get_by_label("Find a name")).to_be_focused()
    assert stays_in_its_width(page)
