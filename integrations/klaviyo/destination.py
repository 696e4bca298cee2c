"""Klaviyo as a destination: implements the port's pure half and opens channels."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from integrations.errors import ConfigurationError
from integrations.gateway.port import (
    BatchKind,
    Channel,
    Credentials,
    EventWrite,
    Limits,
    ProfileWrite,
    SignIn,
)
from integrations.klaviyo import conf, limits, payloads, transport, web_pages
from integrations.klaviyo.client import KlaviyoChannel

_LONGEST_NAME = 127  # a metric's name is under 128 characters; a property is held to the same


class Klaviyo:
    """See integrations/gateway/port.py."""

    key = "klaviyo"
    label = "Klaviyo"
    key_help = "In Klaviyo: Settings → API keys → Create private API key. It begins with pk_."
    limits: Limits = limits.LIMITS
    sign_in: SignIn | None = None

    def default_base_url(self) -> str:
        return conf.default_base_url()

    def default_revision(self) -> str:
        return conf.default_revision()

    def validate_base_url(self, text: str) -> str:
        address = text.strip().rstrip("/")
        try:
            parts = urlsplit(address)
            host, _ = (parts.hostname or "").lower(), parts.port
        except ValueError:
            host, parts = "", urlsplit("")
        is_bare = not (parts.query or parts.fragment or parts.username or parts.password)
        if parts.scheme not in ("http", "https") or not host or not is_bare:
            raise ConfigurationError(
                "This must be a web address without query, such as https://a.klaviyo.com."
            )
        if transport.is_loopback(address):
            return address
        if parts.scheme != "https":
            raise ConfigurationError("The address must begin with https://, because the key is sent there.")
        usual = (urlsplit(conf.default_base_url()).hostname or "").lower()
        if host not in (usual, "klaviyo.com") and not host.endswith(".klaviyo.com"):
            raise ConfigurationError(
                f"{host} is not a host of Klaviyo, and the key is sent there. Accepted: *.klaviyo.com, this "
                f"machine, and the host of KLAVIYO_API_URL ({usual})."
            )
        return address

    def validate_secret(self, text: str) -> str:
        key = text.strip()
        if not key:
            raise ConfigurationError("Paste the private API key. " + _WHERE)
        if re.fullmatch(r"[A-Za-z0-9]{6}", key):
            raise ConfigurationError(
                f"“{key}” is the public API key (site id), which cannot write. " + _WHERE
            )
        if not re.fullmatch(r"[\x21-\x7e]+", key):
            raise ConfigurationError(
                "The key has spaces, line breaks or foreign characters in it: copy it again."
            )
        if not re.fullmatch(r"pk_[A-Za-z0-9_-]{6,}", key):
            raise ConfigurationError(
                "This is no private API key: one is pk_ and at least six letters or digits after it. "
                + _WHERE
            )
        return key

    def validate_property(self, name: str) -> None:
        if not name.strip():
            raise ConfigurationError("The name is empty.")
        if name != name.strip():
            raise ConfigurationError(f"“{name}” begins or ends with a space.")
        if name.startswith("$"):
            raise ConfigurationError(f"“{name}” begins with $: Klaviyo keeps those names for itself.")
        if len(name) > _LONGEST_NAME:
            raise ConfigurationError(f"The name is longer than {_LONGEST_NAME} characters.")
        if any(unicodedata.category(character) == "Cc" for character in name):
            raise ConfigurationError("The name has line breaks or other control characters in it.")

    def property_tag(self, name: str) -> str:
        return "{{ person|lookup:%s }}" % _quoted(name)  # noqa: UP031 (braces)

    def event_tag(self, path: Sequence[str]) -> str:
        return "{{ event%s }}" % "".join(f"|lookup:{_quoted(key)}" for key in path)  # noqa: UP031

    def profile_url(self, base_url: str, remote_id: str) -> str:
        return web_pages.profile(base_url, remote_id)

    def list_url(self, base_url: str, list_id: str) -> str:
        return web_pages.remote_list(base_url, list_id)

    def open(self, credentials: Credentials) -> Channel:
        return KlaviyoChannel(credentials)

    def encode_profile(self, write: ProfileWrite) -> bytes:
        return payloads.encode_profile(write)

    def encode_event(self, write: EventWrite) -> bytes:
        return payloads.encode_event(write)

    def pack(self, kind: BatchKind, rows: Iterable[bytes], list_ids: Sequence[str] = ()) -> bytes:
        return payloads.pack(kind, rows, list_ids)


def _quoted(name: str) -> str:
    """A string of Klaviyo's template language (Django's): in quotes that the name does not have."""
    return f'"{name}"' if "'" in name else f"'{name}'"


_WHERE = "Create a private key in Klaviyo under Settings → API keys; it begins with pk_."
