"""Takes the pictures of docs/ from a running demo.

By hand: `.venv/bin/python -m tests.browser.screenshots http://127.0.0.1:8000 docs/screenshots`, a minute or two
after `make run`, when the first run of the demo has ended. It looks only; it changes nothing.
"""

import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PASSWORD = "demo-portal-1"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """`follow` are selectors that are clicked one after the other once `address` is open."""

    name: str
    address: str
    follow: tuple[str, ...] = ()
    who: str = "owner@demo.example"
    fill: tuple[str, str] = ("", "")  # a selector and what is typed there, then Enter
    size: tuple[int, int] = (1280, 820)
    theme: str = "light"


AUDIENCE = "td a.main:has-text('300 points')"
LIST = "#choose-list input[role=combobox]"
PICTURES = (
    Picture("overview", "/t/demo/"),
    Picture(
        "connect",
        "/t/demo/integrations/",
        ("main a[href*='/integrations/']:not([href*='new'])", "text=Reconnect", "text=Sign in to Klaviyo"),
    ),
    Picture(
        "audience-builder", "/t/demo/audiences/", ("td a.main:has-text('Birthday')", "text=Change the rule")
    ),
    Picture("list-link", "/t/demo/audiences/", (AUDIENCE, "text=Link to a list"), fill=(LIST, "VIP")),
    Picture("audiences", "/t/demo/audiences/"),
    Picture("fields", "/t/demo/fields/"),
    Picture("event", "/t/demo/events/points_earned/"),
    Picture("run", "/t/demo/runs/1/"),
    Picture("integration", "/t/demo/integrations/", ("main a[href*='/integrations/']:not([href*='new'])",)),
    Picture("failures", "/t/demo/failures/"),
    Picture("why", "/t/demo/failures/", ("text=See the people", "main a.main")),
    Picture("team", "/t/demo/settings/team/"),
    Picture("alerts", "/t/demo/settings/alerts/"),
    Picture("support-desk", "/admin/support/", who="support@demo.example"),
    Picture("log-in", "/login/", who=""),
    Picture("overview-dark", "/t/demo/", theme="dark"),
    Picture("run-phone", "/t/demo/runs/1/", size=(390, 844)),
)


def sign_in(page: Page, email: str) -> None:
    page.goto("/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda url: "/login/" not in url)


def take(page: Page, picture: Picture, folder: Path) -> None:
    page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
    page.goto(picture.address)
    for selector in picture.follow:
        page.locator(selector).first.click()
        page.wait_for_load_state("networkidle")
    if picture.fill[0]:
        page.locator(picture.fill[0]).first.press_sequentially(picture.fill[1])
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.wait_for_timeout(800)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", picture.theme)
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    (folder / f"{picture.name}.png").write_bytes(smaller(page.screenshot()))
    sys.stdout.write(f"{picture.name}: {page.url}\n")


def smaller(png: bytes) -> bytes:
    """The same PNG, packed as tightly as zlib can."""
    at, packed, kept = len(SIGNATURE), b"", []
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data = png[at + 8 : at + 8 + length]
        at += length + 12
        if kind == b"IDAT":
            packed += data
        elif kind == b"IHDR":
            kept.append((kind, data))
    kept += [(b"IDAT", zlib.compress(zlib.decompress(packed), 9)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in kept
    ]
    return SIGNATURE + b"".join(chunks)


def main(portal: str, folder: Path, only: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for who in dict.fromkeys(picture.who for picture in PICTURES):
            context = browser.new_context(base_url=portal, reduced_motion="reduce", bypass_csp=True)
            page = context.new_page()
            page.set_default_timeout(8_000)
            if who:
                sign_in(page, who)
            for picture in PICTURES:
                if picture.who == who and (not only or picture.name in only):
                    take(page, picture, folder)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
