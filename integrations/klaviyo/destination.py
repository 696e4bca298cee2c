"""Klaviyo as a destination: implements the port's pure half and opens channels."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from integrations.errors import ConfigurationError
from integrations.gateway.port import Channel, SignIn
from integrations.gateway.values import BatchKind, Credentials, EventWrite, Json, Limits, ProfileWrite
from integrations.klaviyo import advice, conf, limits, payloads, web_pages
from integrations.klaviyo.client import KlaviyoChannel
from integrations.klaviyo.oauth import KlaviyoSignIn
from portal.runtime.outgoing import is_this_machine

_LONGEST_NAME = 127  # a metric's name is under 128 characters; a property is held to the same


class Klaviyo:
    """See integrations/gateway/port.py."""

    key = "klaviyo"
    label = "Klaviyo"
    key_help = "In Klaviyo: Settings → API keys → Create private API key. It begins with pk_."
    tag_help = (
        "Where a value is missing, the e-mail shows nothing in its place and is sent all the same. To show "
        "something else, put |default:'…' before the closing braces, with no space after the colon and with "
        "straight quotes: {{ person|lookup:'VIP Tier'|default:'our programme' }}",
        "Capitals count in names. Tags of an event show something only in a flow that this event starts, never in "
        "a campaign.",
        "A number 0 in an event travels as the text 0, because Klaviyo does not keep a 0 in events and the "
        "e-mail would show a blank; in profiles 0 stays a number.",
    )
    sample_help = (
        "Klaviyo accepts events for addresses at example.com and test.com and then drops them: use another."
    )
    cause_help: Mapping[str, tuple[str, str]] = advice.CAUSE_HELP
    limits: Limits = limits.LIMITS
    sign_in: SignIn | None = KlaviyoSignIn()

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
        if is_this_machine(address):
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
        if "}}" in name:
            raise ConfigurationError("The name has }} in it, which would end its tag in an e-mail too early.")

    def property_tag(self, name: str) -> str:
        return "{{ person|lookup:%s }}" % _quoted(name)  # noqa: UP031 (braces)

    def standard_tag(self, key: str) -> str:
        return _STANDARD_TAGS.get(key, "")

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

    def event_body(self, write: EventWrite) -> Json:
        return payloads.event_document(write)

    def pack(self, kind: BatchKind, rows: Iterable[bytes], list_ids: Sequence[str] = ()) -> bytes:
        return payloads.pack(kind, rows, list_ids)


def _quoted(name: str) -> str:
    """A string of Klaviyo's template language (Django's).

    In quotes that the name does not have where possible: a tag with single quotes may stand in a link.
    """
    quote = '"' if "'" in name and '"' not in name else "'"
    return quote + name.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


# Klaviyo's own names of what every profile has: "Message personalization reference" in its help centre.
_STANDARD_TAGS = {
    "external_id": "{{ person.id }}",
    "email": "{{ email }}",
    "phone": "{{ person.phone_number }}",
    "first_name": "{{ first_name }}",
    "last_name": "{{ last_name }}",
    "locale": "{{ person|lookup:'$locale' }}",
    "address1": "{{ person|lookup:'$address1' }}",
    "address2": "{{ person|lookup:'$address2' }}",
    "city": "{{ person.City }}",
    "region": "{{ person.Region }}",
    "zip": "{{ person.Zipcode }}",
    "country": "{{ person.Country }}",
    "timezone": "{{ person|lookup:'$timezone' }}",
}


_WHERE = "Create a private key in Klaviyo under Settings → API keys; it begins with pk_."
