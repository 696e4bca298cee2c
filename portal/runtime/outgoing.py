"""Calls to addresses that tenants enter: never into the network that the portal stands in.

The host is looked up once, every address that it has must be a public one, and the connection goes to that
very address, so that a second look-up cannot lead elsewhere (DNS rebinding).
"""

import hashlib
import hmac
import ipaddress
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from django.conf import settings

TIMEOUT = urllib3.Timeout(connect=5, read=10)
MAX_ANSWER = 2_000
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # how networks without IPv4 write an IPv4 address

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(ValueError):
    """The address may not be called; the text says why."""


@dataclass(frozen=True)
class Target:
    """An address that may be called: where it leads to, and what to ask for there."""

    scheme: str
    host: str
    port: int
    path: str
    ip: str


def is_this_machine(url: str) -> bool:
    """Whether an address names loopback, without looking anything up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(url: str) -> Target:
    """Where `url` leads; raises AddressRefused for what is no public https address.

    With WEBHOOKS_TO_THIS_MACHINE (the demo, tests) http and loopback are accepted, too.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = _ascii(parts.hostname or ""), parts.port
    except ValueError as error:
        raise AddressRefused("This is not a web address.") from error
    allowed = ("https", "http") if settings.WEBHOOKS_TO_THIS_MACHINE else ("https",)
    if parts.scheme not in allowed or not host or parts.username or parts.password or parts.fragment:
        raise AddressRefused("Use an address that begins with https:// and has no user name in it.")
    port = port or {"https": 443, "http": 80}[parts.scheme]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, _public_ip(host, port))


def _ascii(host: str) -> str:
    """The name as it stands in headers and certificates. Raises ValueError for what can be no name."""
    return host.lower() if ":" in host else host.encode("idna").decode().lower()


def _public_ip(host: str, port: int) -> str:
    found = _addresses(host, port)
    for address in found:
        is_ours = address.is_loopback and settings.WEBHOOKS_TO_THIS_MACHINE
        if not _is_public(address) and not is_ours:
            raise AddressRefused(f"{host} lies in a private network, which the portal does not call.")
    return str(found[0])


def _is_public(address: Address) -> bool:
    """An IPv6 address that carries an IPv4 one leads to that one."""
    if inner := _carried(address):
        return _is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _addresses(host: str, port: int) -> list[Address]:
    """In the order of the system, which puts first what this machine can reach."""
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass  # a name, to be looked up
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"{host} was not found.") from error
    return [ipaddress.ip_address(text) for text in dict.fromkeys(str(info[4][0]) for info in infos)]


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: the receiver checks both, and that t is recent."""
    digest = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(url: str, body: bytes, *, secret: str, uid: str) -> int:
    """POST signed JSON and return the status; redirects are not followed.

    Raises AddressRefused, and OSError (with a sentence) when the way there or back failed.
    """
    target = check(url)
    headers = {
        "Host": target.host if target.port in (80, 443) else f"{target.host}:{target.port}",
        "Content-Type": "application/json",
        "User-Agent": "loyalty-portal (alerts)",
        "X-Portal-Id": uid,
        "X-Portal-Signature": signature(secret, body, int(time.time())),
    }
    try:
        with _pool(target) as pool:
            answer = pool.urlopen(
                "POST", target.path, body=body, headers=headers, redirect=False, retries=False,
                preload_content=False,
            )  # fmt: skip
            answer.read(MAX_ANSWER)
            answer.release_conn()
            return int(answer.status)
    except urllib3.exceptions.HTTPError as error:
        raise OSError(f"{target.host} could not be reached ({type(error).__name__}).") from error


def _pool(target: Target) -> urllib3.HTTPConnectionPool:
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(target.ip, target.port, timeout=TIMEOUT, maxsize=1)
    return urllib3.HTTPSConnectionPool(
        target.ip,
        target.port,
        timeout=TIMEOUT,
        maxsize=1,
        server_hostname=target.host,
        assert_hostname=target.host,
    )
