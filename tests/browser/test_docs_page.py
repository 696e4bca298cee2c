"""The API's pages of documentation work under the portal's strict policy, from our own files."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_docs_page_shows_every_call_without_breaking_the_policy(live_server, browser):
    said, asked = [], []
    context = browser.new_context()
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    response = page.goto(f"{live_server.url}/api/v1/docs")
    assert "unsafe" not in response.headers["content-security-policy"]
    page.locator(".opblock").nth(9).wait_for(timeout=20_000)
    page.locator(".opblock-summary").first.click()
    page.get_by_text("Idempotency-Key").first.wait_for()
    context.close()
    assert not said
    assert all(url.startswith((live_server.url, "data:", "blob:")) for url in asked)
