from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import checks as django_checks

from portal import checks


def ids(found: list[django_checks.CheckMessage]) -> list[str | None]:
    return [message.id for message in found]


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("PORTAL_URL", "portal.example.com", "portal.E001"),
        ("PORTAL_URL", "https://example.com/portal", "portal.E008"),
        ("KLAVIYO_API_URL", "ftp://a.klaviyo.com", "portal.E004"),
        ("KLAVIYO_API_URL", "https://a.klaviyo.com:port", "portal.E004"),
        ("KLAVIYO_AUTHORIZE_URL", "", "portal.E005"),
        ("KLAVIYO_TOKEN_URL", "//a.klaviyo.com", "portal.E006"),
        ("KLAVIYO_REVOKE_URL", "a b", "portal.E007"),
    ],
)
def test_an_address_that_cannot_work_is_named(settings: Any, name: str, value: str, check_id: str) -> None:
    setattr(settings, name, value)
    assert ids(checks.addresses(None)) == [check_id]


@pytest.mark.parametrize(
    ("values", "check_ids"),
    [
        ({}, []),
        ({"KLAVIYO_CLIENT_ID": "app"}, ["portal.E014"]),
        ({"KLAVIYO_CLIENT_SECRET": "secret"}, ["portal.E014"]),
        ({"KLAVIYO_CLIENT_ID": "app", "KLAVIYO_CLIENT_SECRET": "secret"}, []),
        ({"KLAVIYO_TOKEN_URL": "http://a.klaviyo.com/oauth/token"}, ["portal.E015"]),
        ({"KLAVIYO_TOKEN_URL": "http://127.0.0.1:8400/oauth/token"}, []),
        ({"KLAVIYO_REVOKE_URL": "http://localhost:8400/oauth/revoke"}, []),
    ],
)
def test_an_app_that_cannot_be_signed_in_is_named(
    settings: Any, values: dict[str, str], check_ids: list[str]
) -> None:
    settings.KLAVIYO_CLIENT_ID = settings.KLAVIYO_CLIENT_SECRET = ""
    for name, value in values.items():
        setattr(settings, name, value)
    assert ids(checks.klaviyo_app(None)) == check_ids


@pytest.mark.parametrize("keys", [[], ["short"], [Fernet.generate_key().decode(), "x" * 44]])
def test_keys_that_cannot_encrypt_are_named(settings: Any, keys: list[str]) -> None:
    settings.ENCRYPTION_KEYS = keys
    assert ids(checks.encryption_keys(None)) == ["portal.E002"]


def test_another_database_is_refused(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert ids(checks.database_engine(None)) == ["portal.E003"]


@pytest.mark.django_db
def test_an_old_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.database_version(None, databases=["default"]) == []
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 990_000)
    assert ids(checks.database_version(None, databases=["default"])) == ["portal.E012"]


@pytest.mark.parametrize("dotted", ["nowhere.at_all", "nodots", "portal.checks.OLDEST_POSTGRESQL"])
def test_a_target_that_is_no_function_is_named(settings: Any, dotted: str) -> None:
    settings.TICK_TARGET = settings.ANNOUNCE_TARGET = dotted
    assert ids(checks.targets(None)) == ["portal.E009", "portal.E010"]


def test_a_public_address_that_is_not_answered_is_warned_of(settings: Any) -> None:
    settings.PORTAL_URL = "https://portal.example.com"
    assert ids(checks.public_address(None)) == ["portal.W001"]
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    assert checks.public_address(None) == []


def test_the_defaults_are_sound() -> None:
    for check in (checks.addresses, checks.encryption_keys, checks.database_engine):
        assert check(None) == []


@pytest.mark.parametrize(
    ("url", "proxies", "expected"),
    [
        ("https://portal.example.com", 0, ["portal.W002"]),
        ("https://portal.example.com", 1, []),
        ("http://127.0.0.1:8000", 0, []),
        ("http://127.0.0.1:8000", -1, ["portal.E013"]),
    ],
)
def test_a_proxy_that_is_not_trusted_is_named(
    settings: Any, url: str, proxies: int, expected: list[str]
) -> None:
    settings.PORTAL_URL, settings.TRUSTED_PROXIES = url, proxies
    assert ids(checks.proxies(None)) == expected
