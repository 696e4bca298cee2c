"""Every page in a real browser: nothing said on the console, inside its width, and readable to all (axe)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from integrations.models import Dismissal, Extension, SyncRun
from portal.admin_site import site
from tests.browser.world import make_world
from tests.factories import make_user
from tests.tenancy.test_every_merchant_address import FOUND

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
# Where pictures of every page go, in four kinds; nowhere unless asked for.
PICTURES = os.environ.get("PICTURES_DIR", "")
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
ALL_RULES = {"runOnly": STANDARD, "resultTypes": ["violations"]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}


def merchant_pages(known: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, parameters, _ in FOUND:
        yield name, reverse(name, kwargs={key: known[key] for key in parameters})


PEOPLE_PAGES = (
    "login", "password_reset", "password_reset_sent", "password_set_done", "home", "tenants", "profile",
    "profile_email", "two_factor", "two_factor_set_up", "password_change", "password_changed",
)  # fmt: skip


def desk_pages() -> Iterator[tuple[str, str]]:
    """Support desk and audit: with a cause that is open, and with nothing."""
    extension = Extension.objects.get()
    cause = f"/admin/support/{extension.pk}/"
    yield "admin-support", "/admin/support/?held=1&tenant=acme"
    yield "admin-support-empty", "/admin/support/?tenant=nowhere"
    for act in ("", "rerun/", "dismiss/"):
        yield f"admin-support-cause-{act.strip('/')}", f"{cause}{act}?code=invalid_email"
        yield f"admin-support-gone-{act.strip('/')}", f"{cause}{act}?code=gone"
    yield "admin-support-aside", "/admin/support/put-aside/"
    yield "admin-audit", "/admin/audit/"
    yield "admin-audit-empty", "/admin/audit/?tenant=nowhere"
    yield "admin-run-rerun", reverse("admin:syncrun_rerun", args=[SyncRun.objects.get(rejected=1).pk])
    yield "failure-people", f"/t/acme/failures/{extension.pk}/?code=invalid_email"


def admin_pages() -> Iterator[tuple[str, str]]:
    yield "admin-index", reverse("admin:index")
    yield from desk_pages()
    for model in site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield f"admin-{name}", reverse(f"admin:{name}_changelist")
        newest = model._default_manager.order_by("-pk").first()
        if newest is not None:
            yield f"admin-{name}-one", reverse(f"admin:{name}_change", args=[newest.pk])


@pytest.fixture
def opened(browser, live_server):
    context = browser.new_context(viewport=DESK, base_url=live_server.url, reduced_motion="reduce")
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    yield page
    context.close()


def sign_in(page, email: str) -> None:
    page.goto("/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login/" not in url)


def is_a_page(page, address: str) -> bool:
    """Fragments, files and addresses that take only POST are no pages."""
    answer = page.request.get(address, max_redirects=0)
    if answer.status in (204, 302, 405):
        return False
    assert answer.status == 200, f"{address}: {answer.status}"
    return "text/html" in answer.headers["content-type"] and "<html" in answer.text()


def problems_of(page, name: str, address: str) -> list[str]:
    """What is wrong with one page, wide and narrow, light and dark."""
    found = []
    for size, width in (("wide", DESK), ("narrow", PHONE)):
        page.said.clear()
        page.set_viewport_size(width)
        page.goto(address)
        expect(page.locator(".htmx-request, [hx-trigger=load]")).to_have_count(0)
        # Before axe looks: it and the camera set styles of their own, which the policy refuses aloud.
        found += [f"{name}, {size}: console: {words}" for words in page.said]
        if not page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
            found.append(f"{name}, {size}: scrolls sideways")
        found += _in_colours(page, f"{name}, {size}", "light", ALL_RULES)
        _picture(page, f"{name}-{size}-light")
        if width is DESK or PICTURES:  # the colours of a phone are those of a desk
            found += _in_colours(page, f"{name}, {size}", "dark", CONTRAST)
            _picture(page, f"{name}-{size}-dark")
    return found


def _in_colours(page, where: str, colours: str, rules) -> list[str]:
    page.evaluate("colours => { document.documentElement.dataset.theme = colours }", colours)
    return [f"{where}, {colours}: {words}" for words in breaches(page, rules)]


def breaches(page, rules) -> list[str]:
    results = Axe().run(page, options=rules)
    return [
        f"{breach['id']}: {', '.join(node['html'][:160] for node in breach['nodes'][:3])}"
        for breach in results.response["violations"]
    ]


def _picture(page, name: str) -> None:
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


PARTS = 3  # so that several workers share the pages


@pytest.mark.parametrize("part", range(PARTS))
def test_merchant_pages(opened, part):
    known = make_world()
    sign_in(opened, "owner@example.com")
    found = []
    for name, address in list(merchant_pages(known))[part::PARTS]:
        if is_a_page(opened, address):
            found += problems_of(opened, name, address)
    assert not found, "\n".join(found)


def test_pages_of_people(opened):
    make_world()
    found = problems_of(opened, "login", reverse("login"))
    sign_in(opened, "owner@example.com")
    for name in PEOPLE_PAGES[1:]:
        if is_a_page(opened, reverse(name)):
            found += problems_of(opened, name, reverse(name))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("part", range(PARTS))
def test_admin_pages(opened, part):
    make_world()
    root = make_user(email="root@example.com", is_staff=True, is_superuser=True)
    extension = Extension.objects.get()
    Dismissal.objects.create(extension=extension, code="temporary", by=root, note="Test people", rows=12)
    sign_in(opened, "root@example.com")
    found = []
    for name, address in list(admin_pages())[part::PARTS]:
        if is_a_page(opened, address):
            found += problems_of(opened, name, address)
    assert not found, "\n".join(found)
