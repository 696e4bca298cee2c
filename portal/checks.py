"""Bad settings, reported with an id and what to do (`manage.py check`, and before every command)."""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string

OLDEST_POSTGRESQL = 150_000


@register()
def addresses(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    names = {
        "PORTAL_URL": "portal.E001",
        "KLAVIYO_API_URL": "portal.E004",
        "KLAVIYO_AUTHORIZE_URL": "portal.E005",
        "KLAVIYO_TOKEN_URL": "portal.E006",
        "KLAVIYO_REVOKE_URL": "portal.E007",
    }
    for name, check_id in names.items():
        if not _is_http(getattr(settings, name)):
            hint = f"Write it like https://portal.example.com; it is {getattr(settings, name)!r}."
            found.append(Error(f"{name} is not an http or https address.", hint=hint, id=check_id))
    if not found and urlsplit(settings.PORTAL_URL).path not in ("", "/"):
        found.append(
            Error("PORTAL_URL has a path; the portal lives at the root of its host.", id="portal.E008")
        )
    return found


@register()
def klaviyo_app(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The app's secret and every token go to these addresses."""
    found: list[CheckMessage] = []
    if bool(settings.KLAVIYO_CLIENT_ID) != bool(settings.KLAVIYO_CLIENT_SECRET):
        hint = (
            "Both are shown by Klaviyo where the app is registered; leave both empty to connect by key only."
        )
        words = "KLAVIYO_CLIENT_ID and KLAVIYO_CLIENT_SECRET belong together: one of them is empty."
        found.append(Error(words, hint=hint, id="portal.E014"))
    for name in ("KLAVIYO_TOKEN_URL", "KLAVIYO_REVOKE_URL"):
        address = getattr(settings, name)
        if _is_http(address) and not address.startswith("https://") and not _is_this_machine(address):
            found.append(Error(f"{name} must be https: secrets are sent there.", id="portal.E015"))
    return found


@register()
def proxies(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if settings.TRUSTED_PROXIES < 0:
        return [Error("TRUSTED_PROXIES is the number of your own proxies, from 0 on.", id="portal.E013")]
    if settings.PORTAL_URL.startswith("https://") and not settings.TRUSTED_PROXIES:
        hint = "Set TRUSTED_PROXIES=1 where one proxy of yours ends TLS, and silence this where none does."
        words = "PORTAL_URL is https, but no proxy is trusted: all log-ins seem to come from the proxy."
        return [Warning(words, hint=hint, id="portal.W002")]
    return []


@register()
def encryption_keys(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    bad = [number for number, key in enumerate(settings.ENCRYPTION_KEYS, 1) if not _is_fernet_key(key)]
    if not bad and settings.ENCRYPTION_KEYS:
        return []
    hint = (
        'Make one with: python -c "from cryptography.fernet import Fernet; '
        'print(Fernet.generate_key().decode())"'
    )
    words = f"number {', '.join(map(str, bad))}" if bad else "there is none"
    return [Error(f"ENCRYPTION_KEYS holds no valid key: {words}.", hint=hint, id="portal.E002")]


@register()
def targets(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The dotted names by which the ground calls what is built on it."""
    found: list[CheckMessage] = []
    for name, check_id in {"ANNOUNCE_TARGET": "portal.E009", "TICK_TARGET": "portal.E010"}.items():
        dotted = getattr(settings, name)
        try:
            target: Callable[..., object] | None = import_string(dotted)
        except ImportError:
            target = None
        if not callable(target):
            found.append(Error(f"{name} names no function: {dotted}.", id=check_id))
    return found


@register()
def database_engine(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    engine = settings.DATABASES["default"].get("ENGINE", "")
    if engine == "django.db.backends.postgresql":
        return []
    hint = "Write it like postgres://user:password@host/name, or leave it empty for the portal's own."
    return [Error(f"DATABASE_URL is not a PostgreSQL database ({engine}).", hint=hint, id="portal.E003")]


@register(Tags.database)
def database_version(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for alias in databases or []:
        if connections[alias].vendor != "postgresql":
            continue
        try:
            connections[alias].ensure_connection()
            version = connections[alias].pg_version  # type: ignore[attr-defined]
        except DatabaseError as error:
            found.append(Error(f"The database does not answer: {error}", id="portal.E011"))
            continue
        if version < OLDEST_POSTGRESQL:
            found.append(
                Error(f"PostgreSQL {version // 10_000} is too old: 15 or newer is needed.", id="portal.E012")
            )
    return found


@register(Tags.security, deploy=True)
def public_address(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    host = urlsplit(settings.PORTAL_URL).hostname or ""
    if host in settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        return []
    hint = f"Add {host} to ALLOWED_HOSTS."
    return [Warning("The host of PORTAL_URL is not among ALLOWED_HOSTS.", hint=hint, id="portal.W001")]


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _is_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except (ValueError, TypeError):
        return False
    return True
