"""A person at a browser: signs in, finds the way by the menu, and notes what the browser says and asks for."""

from typing import Any

from playwright.sync_api import expect

from integrations.models import SyncRun
from tests.klaviyo.sandbox_process import SandboxAccount

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
# What a page makes of itself, without asking anybody.
WITHOUT_A_HOST = ("data:", "blob:", "about:")


class Traveller:
    """`page` is the window; `said` what stood on the console, breaches of the content policy too."""

    def __init__(self, context: Any, *, home: str, away: str) -> None:
        self.context = context
        self.page = context.new_page()
        self.said: list[str] = []
        self.strangers: list[str] = []
        self._known = (f"{home}/", f"{away}/oauth/authorize", f"{away}/sandbox/", *WITHOUT_A_HOST)
        context.on("console", lambda message: self._heard(message.type, message.text))
        context.on("weberror", lambda error: self.said.append(str(error.error)))
        context.on("request", lambda request: self._asked(request.url))

    def _heard(self, kind: str, words: str) -> None:
        if kind == "error":
            self.said.append(words)

    def _asked(self, address: str) -> None:
        if not address.startswith(self._known):
            self.strangers.append(address)

    def sign_in(self, email: str) -> None:
        self.page.goto("/login/")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill("password")
        self.press("Log in")
        self.page.wait_for_url(lambda address: "/login/" not in address or "/login/code/" in address)

    def menu(self, place: str) -> None:
        """Go to a page by the navigation, as it is at this width."""
        if self.page.viewport_size == PHONE:
            self.page.get_by_text("Menu", exact=True).click()
        links = self.page.get_by_role("navigation", name="Pages").get_by_role("link", name=place)
        links.locator("visible=true").click()
        self.sees_heading(place)
        assert self.stays_in_its_width()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.locator("main").get_by_role("link", name=name, exact=True).first.click()

    def sees(self, *words: str) -> None:
        for one in words:
            expect(self.page.locator("body")).to_contain_text(one)

    def sees_heading(self, words: str) -> None:
        expect(self.page.get_by_role("heading", level=1, name=words)).to_be_visible()

    def sees_nothing_of(self, *words: str) -> None:
        for one in words:
            expect(self.page.locator("body")).not_to_contain_text(one)

    def stays_in_its_width(self) -> bool:
        wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        return bool(self.page.evaluate(wide))

    def begin_signing_in(self) -> Any:
        """Press Connect; the Allow page in its pop-up."""
        with self.context.expect_page() as opened:
            self.press("Connect Klaviyo")
        expect(opened.value.get_by_role("button", name="Allow")).to_be_visible()
        return opened.value

    def signs_in_here(self) -> None:
        """This browser blocks pop-ups from now on."""
        self.context.add_init_script("window.open = () => null")
        self.page.evaluate("window.open = () => null")

    def knows_refusal(self, status: int) -> None:
        """The console tells a page with this status as an error; that one is meant."""
        told = [words for words in self.said if f"status of {status}" in words]
        assert told, f"no page was refused with {status}: {self.said}"
        self.said = [words for words in self.said if words not in told]


def answer_there(page: Any, account: SandboxAccount, *, role: str = "Owner", allow: bool = True) -> None:
    """Answer the Allow page for an account."""
    page.get_by_label("Account").fill(account.name)
    page.get_by_label(role, exact=True).check()
    page.get_by_role("button", name="Allow" if allow else "Deny").click()


def start_run(traveller: Traveller, kind: str) -> SyncRun:
    traveller.menu("Runs")
    traveller.follow("Start a run")
    traveller.page.get_by_role("radio", name=kind).check()
    traveller.press("Start this run")
    traveller.sees("is on its way")
    return SyncRun.objects.latest("pk")
