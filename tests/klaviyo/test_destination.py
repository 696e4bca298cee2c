import json

import pytest

from integrations.errors import ConfigurationError
from integrations.gateway import registry
from integrations.klaviyo import protocol
from integrations.klaviyo.destination import Klaviyo
from tests.klaviyo.samples import event


def test_the_registry_finds_klaviyo() -> None:
    assert isinstance(registry.get("klaviyo"), Klaviyo)
    assert ("klaviyo", "Klaviyo") in registry.choices()


def test_addresses_come_from_the_settings(settings) -> None:
    settings.KLAVIYO_API_URL = "http://127.0.0.1:8400/"
    settings.KLAVIYO_REVISION = "2026-10-15"
    assert Klaviyo().default_base_url() == "http://127.0.0.1:8400"
    assert Klaviyo().default_revision() == "2026-10-15"


@pytest.mark.parametrize("key", ["pk_0123456789abcdef", "  pk_abc_xyz-1\n"])
def test_a_private_key_is_taken_without_its_blanks(key: str) -> None:
    assert Klaviyo().validate_secret(key) == key.strip()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "Paste"),
        (" \n", "Paste"),
        ("AbC123", "public API key"),
        ("pk_abc\r\nX-Evil: 1", "spaces"),
        ("pk_a b", "spaces"),
        ("pk_äöü", "spaces"),
        ("pk_a\x00", "spaces"),
        ("pk_", "no private API key"),
        ("pk_short", "no private API key"),
        ("pk_with/slash", "no private API key"),
        ("sk_0123456789abcdef", "no private API key"),
    ],
)
def test_what_is_no_private_key_is_refused_with_a_reason(key: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Klaviyo().validate_secret(key)


@pytest.mark.parametrize("name", ["Points Balance", "Mitgliedsstufe", "ポイント", "x" * 127])
def test_a_property_may_have_any_plain_name(name: str) -> None:
    Klaviyo().validate_property(name)


@pytest.mark.parametrize("name", ["", "  ", "$email", " Tier", "Tier ", "a\nb", "a}}b", "x" * 128])
def test_a_name_that_klaviyo_refuses_is_refused_here(name: str) -> None:
    with pytest.raises(ConfigurationError):
        Klaviyo().validate_property(name)


@pytest.mark.parametrize(
    "address",
    [
        "https://a.klaviyo.com",
        "https://klaviyo.com/",
        "http://127.0.0.1:8400",
        "http://[::1]:9",
        "http://localhost",
    ],
)
def test_addresses_of_klaviyo_and_of_this_machine_are_accepted(address: str) -> None:
    assert Klaviyo().validate_base_url(f" {address} ") == address.rstrip("/")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://a.klaviyo.com", "must begin with https://"),
        ("https://a.klaviyo.com.evil.example", "is not a host of Klaviyo"),
        ("https://evilklaviyo.com", "is not a host of Klaviyo"),
        ("https://a.klaviyo.com@evil.example", "web address"),
        ("https://a.klaviyo.com?x=1", "web address"),
        ("ftp://a.klaviyo.com", "web address"),
        ("https://a.klaviyo.com:port", "web address"),
        ("http://169.254.169.254", "must begin with https://"),
        ("klaviyo", "web address"),
    ],
)
def test_an_address_that_could_take_the_key_elsewhere_is_refused(address: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Klaviyo().validate_base_url(address)


def test_the_host_of_the_settings_is_accepted(settings: object) -> None:
    settings.KLAVIYO_API_URL = "https://proxy.example"  # type: ignore[attr-defined]
    assert Klaviyo().validate_base_url("https://proxy.example/k") == "https://proxy.example/k"


def test_the_body_that_people_are_shown_is_the_one_that_is_sent() -> None:
    write = event(properties={"Points": 50, "Balance": 0})
    assert Klaviyo().event_body(write) == json.loads(protocol.send_event(write).body)
