"""The API's pages of documentation work under the portal's strict policy, from our own files."""

import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.django_db(transaction=True)
def test_the_docs_page_shows_every_call_without_breaking_the_policy(live_server, monkeypatch):
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    monkeypatch.setitem(
        os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
    )  # playwright keeps a loop in this thread
    said, asked = [], []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        response = page.goto(f"{live_server.url}/api/v1/docs")
        assert "unsafe" not in response.headers["content-security-policy"]
        page.locator(".opblock").nth(9).wait_for(timeout=20_000)
        page.locator(".opblock-summary").first.click()
        page.get_by_text("Idempotency-Key").first.wait_for()
        browser.close()
    assert not said
    assert all(url.startswith((live_server.url, "data:", "blob:")) for url in asked)
