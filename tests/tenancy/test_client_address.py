import pytest
from django.test import RequestFactory

from portal.tenancy import client_address


@pytest.mark.parametrize(
    ("proxies", "told", "expected"),
    [
        (0, "203.0.113.9", "127.0.0.1"),  # anybody can write the header
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1, 203.0.113.9", "203.0.113.9"),  # the first was written by who asks
        (2, "10.0.0.1, 203.0.113.9, 192.0.2.1", "203.0.113.9"),
        (2, "192.0.2.1", "127.0.0.1"),  # it did not pass both
        (1, "", "127.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_say_is_believed(settings, proxies, told, expected):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": told})
    assert client_address.of(request) == expected


@pytest.mark.django_db
def test_a_made_up_address_is_no_way_round_the_lock(client, settings):
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 2
    for number in range(3):
        answer = client.post(
            "/login/",
            {"username": "ada@example.com", "password": "wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert answer.status_code == 429
