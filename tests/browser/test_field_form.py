"""The form of a field, where scripts turn its drop-down into a field to type in."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_every_page import opened, sign_in  # noqa: F401  (a fixture)
from tests.browser.world import make_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_chosen_field_is_compared_and_a_name_offered_with_it(opened):  # noqa: F811
    make_world()
    sign_in(opened, "owner@example.com")
    opened.goto("/t/acme/fields/new/")
    opened.get_by_role("combobox", name="Field").fill("City")
    opened.get_by_role("option", name="City").click()
    expect(opened.get_by_label("Property")).to_have_value("Loyalty City")
    with opened.expect_request(lambda request: "read=1" in request.url) as asked:
        opened.get_by_role("button", name="Compare with Klaviyo now").click()
    assert "field=city" in asked.value.url
    expect(opened.get_by_text("Choose a field first")).to_have_count(0)
    expect(opened.get_by_text("could not be read")).to_be_visible()  # nothing listens at the world's address
    assert opened.said == []
