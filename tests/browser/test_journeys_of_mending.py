"""Journeys through trouble: refused rows, an access that was taken away, a list that is let go."""

from typing import Any

import pytest

from integrations import tasks
from integrations.gateway.values import ProfileWrite
from integrations.models import Extension, SyncRun
from integrations.services import clock, connections, list_links
from loyalty.models import Audience
from loyalty.services import audiences
from tests.api.conftest import caller
from tests.browser.traveller import DESK, PHONE, Traveller, answer_there, start_run
from tests.e2e.conftest import drain
from tests.factories import make_audience, make_member
from tests.klaviyo.sandbox_process import SandboxAccount

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AT_DESK_AND_ON_THE_PHONE = pytest.mark.parametrize(
    "traveller", [DESK, PHONE], ids=["desk", "phone"], indirect=True
)


@AT_DESK_AND_ON_THE_PHONE
def test_two_failed_rows_are_mended_one_by_itself_and_one_by_a_re_run(
    traveller: Traveller, connected: Extension, account: SandboxAccount, settings: Any
) -> None:
    settings.LIVE_SINGLE_LIMIT = 0  # only imports are refused there, and so few would go one by one
    make_member(connected.tenant, "Bad", first_name="Bea", last_name="Bad", email="bea@fernhill.test")
    make_member(connected.tenant, "Worse", first_name="Cy", last_name="Worse", email="cy@fernhill.test")
    account.refuse("bea@fernhill.test", "cy@fernhill.test", detail="Nobody lives here.")
    traveller.sign_in("ada@example.com")
    first = start_run(traveller, "Everything")
    drain(connected)
    traveller.sees("2 refused by Klaviyo", "Nobody lives here.")
    assert traveller.stays_in_its_width()

    traveller.menu("Overview")
    traveller.sees("2 people are not up to date.")
    traveller.page.get_by_role("link", name="Open failures").click()
    traveller.sees("Nobody lives here.")
    traveller.follow("See the people")
    traveller.sees("Bea Bad", "Cy Worse", "Nobody lives here.")
    assert traveller.stays_in_its_width()

    mend_by_the_api(connected, "Bad", "bea@home.test")
    drain(connected)
    assert account.profiles(email="bea@home.test")
    traveller.page.reload()
    traveller.sees("Cy Worse")
    traveller.sees_nothing_of("Bea Bad")

    account.refuse()
    traveller.page.goto(f"/t/acme/runs/{first.pk}/")
    traveller.sees("1 open")
    traveller.follow("Re-run failed rows")
    traveller.page.get_by_label("Why?").fill("Klaviyo takes Cy now")
    traveller.press("Run it again")
    traveller.sees("is on its way")
    again = SyncRun.objects.get(parent=first)
    drain(connected)
    traveller.sees("“Klaviyo takes Cy now”", "Arrived")
    traveller.page.goto(f"/t/acme/runs/{first.pk}/")
    traveller.sees("What happened since", f"1 fixed by #{again.pk}")
    traveller.sees_nothing_of("1 open")
    assert traveller.stays_in_its_width()
    assert account.profile(email="cy@fernhill.test")["external_id"] == "Worse"


def mend_by_the_api(extension: Extension, external_id: str, email: str) -> None:
    """As the shop does it, with a token of its own."""
    call = caller(extension.tenant)
    answer = call("POST", "/members/batch", {"members": [{"external_id": external_id, "email": email}]})
    assert b'"status": "updated"' in answer.content


def test_removed_there_is_told_and_healed_in_place_and_what_waited_arrives(
    traveller: Traveller, connected: Extension, account: SandboxAccount
) -> None:
    account.uninstall()
    mend_by_the_api(connected, "Ann", "ann@new.test")
    traveller.sign_in("ada@example.com")
    waiting = start_run(traveller, "Everything")
    work_until_removed(connected)
    traveller.menu("Overview")
    traveller.sees("Klaviyo needs you.", "Removed in Klaviyo", "nothing is lost")
    traveller.follow("See the connection")
    traveller.follow("Reconnect")
    traveller.sees("Sending goes on as soon as you are back")
    pop_up = traveller.begin_signing_in()
    with pop_up.expect_event("close"):
        answer_there(pop_up, account)
    traveller.sees("Working", "1 field mapped")
    connected.refresh_from_db()
    drain(connected)
    assert account.profile(external_id="Ann")["email"] == "ann@new.test"
    traveller.page.goto(f"/t/acme/runs/{waiting.pk}/")
    traveller.sees("The one change arrived.")
    traveller.menu("Overview")
    traveller.sees_nothing_of("Klaviyo needs you.")


def work_until_removed(extension: Extension) -> None:
    """The workers' part, until one of them finds out."""
    for _ in range(20):
        clock.tick()
        tasks.work_bulk(extension.pk)
        tasks.work_live(extension.pk)
        extension.refresh_from_db()
        if extension.removed_at:
            return
    raise AssertionError("nobody noticed the removal")


@pytest.fixture
def followed(connected: Extension, account: SandboxAccount) -> Audience:
    """An audience of two by hand, on a list where Ann and a stranger stand already."""
    channel = connections.open_channel(connected)
    made = channel.create_list("Press")
    stranger = channel.write_profile(ProfileWrite(values={"email": "stranger@elsewhere.test"})).remote_id
    (ann,) = channel.read_profiles("external_id", ["Ann"])
    channel.join_list(made.remote_id, [stranger, ann.remote_id])
    press = make_audience(connected.tenant, "press", name="Press")
    audiences.change_static(press, add=["Ann", "Grace"], remove=[])
    list_links.link(connected, press, name="Press", list_id=made.remote_id)
    return press


def test_unlinking_a_list_takes_off_exactly_those_whom_we_added(
    traveller: Traveller, connected: Extension, account: SandboxAccount, followed: Audience
) -> None:
    traveller.sign_in("ada@example.com")
    start_run(traveller, "Audiences and lists")
    drain(connected)
    there_before = ["ann@fernhill.test", "stranger@elsewhere.test"]
    assert account.members("Press")["emails"] == sorted([*there_before, "grace@fernhill.test"])
    traveller.menu("Audiences")
    traveller.follow("Press")
    traveller.follow("Unlink")
    traveller.sees("Take off the 1 person whom we added", "1 of your members was there before us and stays.")
    traveller.page.get_by_role("radio", name="Take off the 1 person whom we added").check()
    traveller.press("Unlink Press")
    drain(connected)
    assert account.members("Press")["emails"] == there_before
    traveller.menu("Audiences")
    traveller.follow("Press")
    traveller.sees("No list follows it yet")
