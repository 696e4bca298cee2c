"""Who may see and do what, and signing in with two factors, as people meet them."""

import pytest
from playwright.sync_api import expect

from integrations.models import Extension, SyncRun
from portal.tenancy.models import Tenant
from tests.browser.traveller import Traveller
from tests.factories import make_tenant, make_user
from tests.tenancy.codes_of_app import code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PLACES = ("Integrations", "Audiences", "Fields", "Events", "Runs", "Members", "Settings", "Overview")


def test_an_outsider_reads_a_page_that_tells_nothing(traveller: Traveller, tenant: Tenant) -> None:
    make_user(make_tenant("other", name="Other Shop"), email="eve@example.com")
    traveller.sign_in("eve@example.com")
    member = tenant.members.first()
    for address in ("", "members/", f"members/{member.pk}/", "runs/", "settings/team/"):
        assert traveller.page.goto(f"/t/acme/{address}").status == 404
        traveller.sees_heading("There is nothing here")
        traveller.sees_nothing_of("Acme", "Grace", "fernhill")
    traveller.knows_refusal(404)
    traveller.follow("Back to the start")
    traveller.sees("Other Shop")


def test_a_viewer_sees_every_page_and_can_change_nothing(traveller: Traveller, connected: Extension) -> None:
    make_user(connected.tenant, role="viewer", email="vic@example.com")
    traveller.sign_in("vic@example.com")
    for place in PLACES:
        traveller.menu(place)
        expect(traveller.page.locator("main form[method=post]")).to_have_count(0)
        calling = traveller.page.locator("main .button-main, main .button-danger").all_inner_texts()
        assert set(calling) <= {"Search"}, place
    runs = SyncRun.objects.count()
    for address in (
        "runs/start/",
        f"integrations/{connected.pk}/active/",
        f"integrations/{connected.pk}/disconnect/",
        "audiences/new/",
    ):
        assert post(traveller, f"/t/acme/{address}", active="0") == 403
        connected.refresh_from_db()
        assert connected.is_active
    assert SyncRun.objects.count() == runs


def post(traveller: Traveller, address: str, **given: str) -> int:
    """Send a form that no page offered, with a good token; a refusal must be for the role."""
    token = traveller.page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    answer = traveller.context.request.post(
        address,
        form={"csrfmiddlewaretoken": token, **given},
        headers={"Referer": traveller.page.url},
        max_redirects=0,
    )
    assert "Your role does not allow this" in answer.text()
    return int(answer.status)


def test_a_page_is_reached_by_the_keyboard_alone(traveller: Traveller, owner: object) -> None:
    traveller.sign_in("ada@example.com")
    traveller.sees_heading("Overview")
    traveller.page.goto("/t/acme/")
    keys, focused = traveller.page.keyboard, traveller.page.locator(":focus")
    keys.press("Tab")
    expect(focused).to_have_text("Skip to the content")
    expect(focused).to_be_in_viewport()
    keys.press("Enter")
    expect(traveller.page.locator("main")).to_be_focused()
    traveller.page.goto("/t/acme/")
    for _ in range(20):
        keys.press("Tab")
        if focused.inner_text().strip() == "Members":
            break
    keys.press("Enter")
    traveller.sees_heading("Members")
    traveller.sees("Grace Hopper")


def test_two_factors_are_set_up_and_asked_for(traveller: Traveller, owner: object) -> None:
    traveller.sign_in("ada@example.com")
    traveller.page.get_by_role("link", name="Your profile").click()
    traveller.follow("Set it up")
    traveller.page.get_by_label("Password").fill("password")
    traveller.press("Begin the set-up")
    key = traveller.page.locator("main code").inner_text()
    traveller.page.get_by_label("Code").fill(code_of(key))
    traveller.press("Switch two-factor sign-in on")
    traveller.sees_heading("Your recovery codes")
    recovery = traveller.page.locator("#recovery-codes").inner_text().split()
    assert len(recovery) == 10
    traveller.follow("I have them")
    traveller.press("Log out")
    traveller.sign_in("ada@example.com")
    traveller.sees_heading("Your code")
    traveller.page.get_by_label("Code").fill("000000")
    traveller.press("Log in")
    traveller.page.wait_for_timeout(1100)  # one second after a wrong code, no other is looked at
    # A code is good once, so the next one is shown.
    traveller.page.get_by_label("Code").fill(code_of(key, steps_ahead=1))
    traveller.press("Log in")
    traveller.sees_heading("Overview")
