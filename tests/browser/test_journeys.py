"""Whole journeys of merchants, against the practice destination over HTTP: it is the judge of what arrived."""

import pytest
from playwright.sync_api import expect

from integrations.models import Extension
from tests.browser.traveller import DESK, PHONE, Traveller, answer_there, start_run
from tests.e2e.conftest import drain
from tests.klaviyo.sandbox_process import SandboxAccount, SandboxProcess

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AT_DESK_AND_ON_THE_PHONE = pytest.mark.parametrize(
    "traveller", [DESK, PHONE], ids=["desk", "phone"], indirect=True
)


def create_integration(traveller: Traveller) -> None:
    """From the first steps to the page that asks how to connect."""
    traveller.sign_in("ada@example.com")
    traveller.sees("First steps", "Connect your account")
    traveller.follow("Connect")
    traveller.sees("No connection yet")
    traveller.follow("Create integration")
    traveller.press("Create and go on to connecting")
    traveller.sees_heading("Connect Klaviyo")
    traveller.sees("Owner, Admin or Manager")


def build_rich(traveller: Traveller) -> None:
    """An audience of everybody with 500 points, by the rule builder."""
    page = traveller.page
    traveller.menu("Audiences")
    traveller.follow("New audience")
    page.get_by_role("link", name="A rule of your own").click()
    page.get_by_label("Name", exact=True).fill("Rich")
    page.get_by_label("Field").select_option("points_balance")
    page.get_by_label("Comparison").select_option("at_least")
    page.get_by_label("Value").fill("500")
    expect(page.locator("#rule-outcome")).to_contain_text("2 of 3 members")
    traveller.press("Create this audience")
    traveller.sees_heading("Rich")


def link_to_new_list(traveller: Traveller, name: str) -> None:
    traveller.follow("Link to a list")
    traveller.page.get_by_text("A new list", exact=True).click()
    traveller.page.get_by_label("Name of the new list").fill(name)
    traveller.sees(f"becomes the new list {name}")
    traveller.press("Link the audience to the list")
    traveller.sees(f"Rich is linked to “{name}”.")
    if traveller.page.viewport_size == PHONE:
        find = "all => all.map(one => one.getBoundingClientRect().left)"
        lefts = traveller.page.locator(".trio > div").evaluate_all(find)
        assert len(lefts) == 3
        assert len(set(lefts)) == 1, "the numbers of the list stand below one another"


@AT_DESK_AND_ON_THE_PHONE
def test_from_the_first_sign_in_to_a_list_that_has_its_people(
    traveller: Traveller, owner: object, account: SandboxAccount
) -> None:
    create_integration(traveller)
    pop_up = traveller.begin_signing_in()
    with pop_up.expect_event("close"):
        answer_there(pop_up, account)
    traveller.sees(f"Connected to {account.name}", "Nothing has been sent yet.")
    assert account.profiles() == []
    traveller.follow("Start sending")
    traveller.sees("3 members are looked at", "No list is touched")
    traveller.press("Start sending")
    traveller.sees("Klaviyo is sending.")
    build_rich(traveller)
    link_to_new_list(traveller, "Rich Customers")
    start_run(traveller, "Everything")
    drain(Extension.objects.get())
    traveller.sees("Arrived")
    assert traveller.stays_in_its_width()
    assert account.members("Rich Customers")["emails"] == ["alan@fernhill.test", "grace@fernhill.test"]
    assert account.profile(email="ann@fernhill.test")["properties"]["Points Balance"] == 5
    traveller.menu("Overview")
    traveller.sees_nothing_of("First steps")


def test_where_pop_ups_are_blocked_the_same_window_goes_there_and_back(
    traveller: Traveller, owner: object, account: SandboxAccount
) -> None:
    create_integration(traveller)
    traveller.signs_in_here()
    traveller.press("Connect Klaviyo")
    answer_there(traveller.page, account)
    traveller.sees_heading("Klaviyo")
    traveller.sees(f"Connected: {account.name} (practice) accepts us.", "Start sending")
    assert len(traveller.context.pages) == 1
    assert len(account.apps()) == 1


def test_every_refusal_on_the_way_is_readable_and_can_be_tried_again(
    traveller: Traveller, owner: object, account: SandboxAccount
) -> None:
    create_integration(traveller)
    traveller.signs_in_here()
    traveller.press("Connect Klaviyo")
    answer_there(traveller.page, account, allow=False)
    traveller.sees_heading("Not connected")
    traveller.sees("the access was not allowed there", "Nothing was sent, and nothing is lost.")
    traveller.press("Try again")
    answer_there(traveller.page, account, role="Analyst")
    traveller.sees_heading("Not connected")
    traveller.sees("Only an Owner, Admin or Manager of the account can install apps.")
    traveller.press("Try again")
    with traveller.page.expect_request(lambda request: "/callback?" in request.url) as back:
        answer_there(traveller.page, account)
    traveller.sees(f"Connected: {account.name} (practice) accepts us.")
    traveller.page.goto(back.value.url)
    traveller.sees_heading("Not connected")
    traveller.knows_refusal(400)
    code = back.value.url.partition("code=")[2].partition("&")[0]
    assert code
    assert code not in traveller.page.content()
    traveller.page.goto("/t/acme/integrations/")
    traveller.sees("Klaviyo accepts us. Nothing has been sent")
    assert len(account.apps()) == 1


def test_another_account_is_refused_with_both_names_and_mappings_stay(
    traveller: Traveller, connected: Extension, account: SandboxAccount, other_side: SandboxProcess
) -> None:
    other = other_side.account(f"{account.name}-other")
    traveller.sign_in("ada@example.com")
    traveller.menu("Integrations")
    traveller.follow("See and manage Klaviyo")
    traveller.follow("Reconnect")
    traveller.signs_in_here()
    traveller.press("Connect Klaviyo")
    answer_there(traveller.page, other)
    traveller.sees_heading("Not connected")
    traveller.knows_refusal(400)
    traveller.sees(
        f"You allowed the account {other.name} (practice)", f"belongs to {account.name} (practice)"
    )
    traveller.follow("Choose another way")
    traveller.sees_heading("Reconnect Klaviyo")
    traveller.menu("Fields")
    traveller.sees("Points Balance")
    assert (other.apps(), len(account.apps())) == ([], 1)
