"""Bytes to Klaviyo and back: one pooled session per process, nothing about what they mean."""

import os
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from integrations.errors import ConfigurationError, Temporary, UnexpectedAnswer
from integrations.gateway.values import Credentials
from integrations.klaviyo import conf
from integrations.klaviyo.protocol import Answer, Call
from portal.runtime.outgoing import is_this_machine

_sessions: dict[int, requests.Session] = {}


class Authorization(AuthBase):
    """Sets the header ourselves: otherwise requests would prefer a ~/.netrc entry of that host."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        scheme = "Bearer" if self._credentials.method == "oauth" else "Klaviyo-API-Key"
        request.headers["Authorization"] = f"{scheme} {self._credentials.secret.reveal()}"
        return request


def session() -> requests.Session:
    """The session of this process. A forked worker makes its own: two must not share a socket."""
    pid = os.getpid()
    found = _sessions.get(pid)
    if found is None:
        found = requests.Session()
        found.headers.update({"User-Agent": conf.USER_AGENT, "Accept": conf.MEDIA_TYPE})
        # One session serves every account, so nothing may be remembered from one call to the next.
        found.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        _sessions.clear()
        _sessions[pid] = found
    return found


def send(credentials: Credentials, call: Call) -> Answer:
    """Make one HTTP call; no retries, no redirects.

    Proxies and certificate bundles of the environment (HTTPS_PROXY, REQUESTS_CA_BUNDLE) are obeyed, but
    for loopback no proxy is asked. Raises Temporary when the way there or back failed (the call may have
    been carried out), UnexpectedAnswer for an answer too large, ConfigurationError for a bad address.
    """
    headers = {"revision": credentials.revision}
    if call.body:
        headers["Content-Type"] = conf.MEDIA_TYPE
    try:
        with session().request(
            call.method,
            credentials.base_url.rstrip("/") + call.target,
            data=call.body or None,
            headers=headers,
            auth=Authorization(credentials),
            timeout=conf.TIMEOUT,
            proxies={"no_proxy": urlsplit(credentials.base_url).hostname or ""}
            if is_this_machine(credentials.base_url)
            else None,
            allow_redirects=False,
            stream=True,
        ) as response:
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, names, _read(response))
    except (InvalidURL, MissingSchema, InvalidSchema) as error:
        raise ConfigurationError(f"The API address {credentials.base_url} cannot be used.") from error
    except requests.Timeout as error:
        raise Temporary("Klaviyo did not answer in time.") from error
    except requests.RequestException as error:
        raise Temporary(f"The connection to Klaviyo failed ({type(error).__name__}).") from error


def _read(response: requests.Response) -> bytes:
    """The body, unpacked, up to the largest size that an answer can have."""
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(65_536):
        size += len(chunk)
        if size > conf.MAX_ANSWER_BYTES:
            raise UnexpectedAnswer(f"Klaviyo's answer is larger than {conf.MAX_ANSWER_BYTES:,} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)
