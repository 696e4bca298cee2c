"""Create → connect by OAuth in a pop-up → start sending, against the practice destination, in a real browser.

The policy of forms and the way windows are kept apart are the browser's to enforce, so only it can tell.
"""

import pytest
from playwright.sync_api import expect

from integrations.models import Extension
from tests.factories import make_tenant, make_user
from tests.klaviyo.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def sandbox():
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def portal(settings, live_server, sandbox):
    settings.PORTAL_URL = live_server.url
    settings.KLAVIYO_API_URL = sandbox.url
    settings.KLAVIYO_AUTHORIZE_URL = f"{sandbox.url}/oauth/authorize"
    settings.KLAVIYO_TOKEN_URL = f"{sandbox.url}/oauth/token"
    settings.KLAVIYO_REVOKE_URL = f"{sandbox.url}/oauth/revoke"
    settings.KLAVIYO_CLIENT_ID, settings.KLAVIYO_CLIENT_SECRET = "sandbox-client", "sandbox-secret"
    make_user(make_tenant("acme", name="Acme Coffee"), role="manager", email="ada@example.com")
    return live_server


@pytest.fixture
def page(browser, portal):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=portal.url)
    opened = context.new_page()
    opened.goto("/")
    opened.get_by_label("E-mail").fill("ada@example.com")
    opened.get_by_label("Password").fill("password")
    opened.get_by_role("button", name="Log in").click()
    expect(opened.get_by_role("heading", name="Overview")).to_be_visible()
    yield opened
    context.close()


def create(page):
    """To the step where one chooses how to connect."""
    page.goto("/t/acme/integrations/")
    page.get_by_role("link", name="Create integration").click()
    page.get_by_role("button", name="Create and go on to connecting").click()
    expect(page.get_by_text("Owner, Admin or Manager")).to_be_visible()


def open_pop_up(page):
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Connect Klaviyo").click()
    expect(opened.value.get_by_role("button", name="Allow")).to_be_visible()
    return opened.value


def allow(page) -> None:
    """On the practice Klaviyo's page: say which account, and yes."""
    page.get_by_label("Account").fill("connecting")
    page.get_by_role("button", name="Allow").click()


def test_the_pop_up_closes_itself_and_the_page_behind_it_goes_on(page):
    create(page)
    pop_up = open_pop_up(page)
    with pop_up.expect_event("close"):
        allow(pop_up)
    expect(page.get_by_text("accepts us.").first).to_be_visible()
    page.get_by_role("link", name="Start sending").click()
    expect(page.get_by_text("No list is touched")).to_be_visible()
    page.get_by_role("button", name="Start sending").click()
    expect(page.get_by_text("is sending.")).to_be_visible()
    assert Extension.objects.get().is_active


def test_a_refusal_is_read_in_the_pop_up_and_tried_again_there(page):
    create(page)
    pop_up = open_pop_up(page)
    pop_up.get_by_role("button", name="Deny").click()
    expect(pop_up.get_by_role("heading", name="Not connected")).to_be_visible()
    pop_up.get_by_role("button", name="Try again").click()
    with pop_up.expect_event("close"):
        allow(pop_up)
    expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()


def test_a_blocked_pop_up_goes_on_in_the_same_window(page):
    create(page)
    page.evaluate("window.open = () => null")
    page.get_by_role("button", name="Connect Klaviyo").click()
    allow(page)
    expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()
