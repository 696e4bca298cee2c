"""Connecting by OAuth (implements the port's SignIn): authorization code with PKCE, HTTP Basic for ourselves.

https://developers.klaviyo.com/en/docs/set_up_oauth. One session a call, so nothing is remembered.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from integrations.errors import PortalNotAccepted, Temporary
from integrations.gateway.values import Tokens
from integrations.klaviyo import conf, token_answers
from integrations.klaviyo.limits import SCOPES
from integrations.klaviyo.token_answers import Step, TokenAnswer
from portal.runtime.outgoing import is_this_machine
from portal.tenancy.secrets import Secret

logger = logging.getLogger(__name__)


class KlaviyoSignIn:
    """See integrations/gateway/port.py."""

    role_help = "You need to be an Owner, Admin or Manager of the Klaviyo account."
    switch_help = (
        "Klaviyo keeps what comes by OAuth under metrics of their own. Flows and segments that use a metric "
        "which the private key filled must be pointed to the new metric of the same name."
    )
    scopes = tuple(SCOPES.items())

    def is_offered(self) -> bool:
        return bool(settings.KLAVIYO_CLIENT_ID)

    def allow_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        with _session() as session:
            url, _ = session.create_authorization_url(
                settings.KLAVIYO_AUTHORIZE_URL,
                state=state,
                redirect_uri=redirect_uri,
                scope=" ".join(scope for scope, _ in self.scopes),
                code_challenge=challenge,
                code_challenge_method="S256",
            )
            return str(url)

    def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> Tokens:
        url = settings.KLAVIYO_TOKEN_URL
        with _asking(Step.EXCHANGE, url) as session:
            value = session.fetch_token(
                url,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=redirect_uri,
                headers=_headers(),
                **_options(url),
            )
        return token_answers.tokens(value)

    def refresh(self, token: Secret) -> Tokens:
        url = settings.KLAVIYO_TOKEN_URL
        with _asking(Step.REFRESH, url) as session:
            value = session.refresh_token(
                url, refresh_token=token.reveal(), headers=_headers(), **_options(url)
            )
        return token_answers.tokens(value)

    def revoke(self, token: Secret) -> None:
        url = settings.KLAVIYO_REVOKE_URL
        with _asking(Step.REVOKE, url) as session:
            answer = session.revoke_token(
                url,
                token=token.reveal(),
                token_type_hint="refresh_token",
                headers=_headers(),
                **_options(url),
            )
            _judge(Step.REVOKE, answer)


def _session() -> Any:
    """A session of its own; the client's Basic header keeps a ~/.netrc entry of that host out."""
    return OAuth2Session(
        settings.KLAVIYO_CLIENT_ID,
        settings.KLAVIYO_CLIENT_SECRET,
        token_endpoint_auth_method="client_secret_basic",
        revocation_endpoint_auth_method="client_secret_basic",
    )


@contextmanager
def _asking(step: Step, url: str) -> Iterator[Any]:
    """A session for one call, whose answer is judged before authlib reads it.

    Errors leave without their cause: that one shows the request, and the request holds secrets.
    """
    judge = partial(_judge, step)
    try:
        with _session() as session:
            session.register_compliance_hook("access_token_response", judge)
            session.register_compliance_hook("refresh_token_response", judge)
            yield session
    except (InvalidURL, MissingSchema, InvalidSchema):
        raise PortalNotAccepted(f"The portal's operator must correct the address {url}.") from None
    except requests.Timeout:
        raise Temporary("Klaviyo's sign-in did not answer in time.") from None
    except requests.RequestException as error:
        raise Temporary(f"Klaviyo's sign-in could not be reached ({type(error).__name__}).") from None


def _judge(step: Step, response: requests.Response) -> requests.Response:
    """The response of a call that succeeded; raises what a refusal means. The log names the step alone."""
    names = {name.lower(): value for name, value in response.headers.items()}
    answer = TokenAnswer(response.status_code, names, response.content)
    error = token_answers.failure(step, answer, datetime.now(UTC))
    level = logging.DEBUG if error is None else logging.INFO
    if isinstance(error, PortalNotAccepted):
        level = logging.ERROR
    logger.log(level, "OAuth %s: %s%s", step.value, answer.status, f", {error.code}" if error else "")
    if error is not None:
        raise error
    return response


def _headers() -> dict[str, str]:
    return {
        "User-Agent": conf.USER_AGENT,
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
    }


def _options(url: str) -> dict[str, Any]:
    options: dict[str, Any] = {"timeout": conf.TIMEOUT, "allow_redirects": False}
    if is_this_machine(url):  # no proxy of the environment is asked for this machine
        options["proxies"] = {"no_proxy": urlsplit(url).hostname or ""}
    return options
