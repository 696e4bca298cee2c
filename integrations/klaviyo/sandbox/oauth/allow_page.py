"""GET and POST /oauth/authorize: who is asked, for what, and what they answered."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qsl, urlsplit

from integrations.klaviyo.sandbox.oauth import asking
from integrations.klaviyo.sandbox.oauth.asking import Asked, NotAllowed, NotAnApp
from integrations.klaviyo.sandbox.pages.layout import Html, page, text
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store import grants
from integrations.klaviyo.sandbox.wire import Answer, Request

# Who may install an app. The developer docs say it of making apps; of installing it is not confirmed.
MAY_ALLOW = ("Owner", "Admin", "Manager")
ROLES = (*MAY_ALLOW, "Analyst")
_NAME = re.compile(r"[A-Za-z0-9.-]{1,60}")


def serve(state: State, request: Request) -> Answer:
    given = dict(request.parameters)
    if request.method == "POST":
        given = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    elif request.method not in ("GET", "HEAD"):
        return page("This page is asked with GET and answered with POST", status=405)
    try:
        asked, objection = asking.read(given)
    except NotAnApp as error:
        return page(
            "This app cannot be allowed", Html(f'<p class="soft">{escape(str(error))}</p>'), status=400
        )
    if objection is not None:
        return _back(asked.back(error=objection.error, error_description=objection.description))
    return _answered(state, asked, given) if request.method == "POST" else _ask(state, asked, given)


def _answered(state: State, asked: Asked, given: Mapping[str, str]) -> Answer:
    try:
        code = _allow(state, asked, given)
    except NotAllowed as error:
        return _back(asked.back(error=error.error, error_description=error.description))
    except ValueError as error:
        return _ask(state, asked, given, str(error))
    return _back(asked.back(code=code))


def _allow(state: State, asked: Asked, given: Mapping[str, str]) -> str:
    """The code; raises NotAllowed where there is none, ValueError where the form must be filled in again."""
    if given.get("decision") != "allow":
        raise NotAllowed("access_denied", "The user denied the request.")
    if given.get("role") not in MAY_ALLOW:
        raise NotAllowed("access_denied", "Only an Owner, Admin or Manager of the account can install apps.")
    name = given.get("account", "").strip()
    if not _NAME.fullmatch(name):
        raise ValueError("An account's name has letters, digits, dots and hyphens.")
    code = grants.Code(
        a=state.accounts.open(name).a,
        client=asked.client,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        scopes=" ".join(asked.scopes),
        role=given["role"],
    )
    return grants.add_code(state.db, code, time.time())


def _back(address: str) -> Answer:
    return Answer(302, headers={"Location": address, "Cache-Control": "no-store"})


def _ask(state: State, asked: Asked, given: Mapping[str, str], problem: str = "") -> Answer:
    scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in asked.scopes)
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(given.get(name, ""))}">' for name in asking.ASKED
    )
    form = Html(
        f'<form class="card allow" method="post" action="/oauth/authorize">{hidden}'
        f"<p><b>{escape(asking.APP_NAME)}</b> asks for access to your Klaviyo account. It may then:</p>"
        f"<ul>{scopes}</ul>{_account_field(state, given, problem)}{_role_field(given)}"
        '<p class="buttons"><button name="decision" value="allow">Allow</button>'
        '<button class="quiet" name="decision" value="deny" formnovalidate>Deny</button></p></form>'
    )
    answer = page(f"Allow {asking.APP_NAME}", form, status=400 if problem else 200)
    # The answer of this form is a redirect to the app, which is part of what form-action rules.
    parts = urlsplit(asked.redirect_uri)
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = policy.replace(
        "form-action 'self'", f"form-action 'self' {parts.scheme}://{parts.netloc}"
    )
    return answer


def _account_field(state: State, given: Mapping[str, str], problem: str) -> str:
    names = "".join(f'<option value="{escape(name)}">' for name in state.accounts.names())
    value = escape(given.get("account", ""))
    wrong = f'<span class="wrong" id="wrong">{text(problem)}</span>' if problem else ""
    tied = ' aria-describedby="wrong" aria-invalid="true"' if problem else ' aria-describedby="which"'
    known = ", ".join(list(state.accounts.names())[:5])
    which = f"There are: {known}. " if known else ""
    which += "Another name opens a new practice account."
    return (
        f'<label>Account<input name="account" value="{value}" list="accounts" required autocomplete="off"{tied}>'
        f'{wrong}</label><datalist id="accounts">{names}</datalist><p class="soft" id="which">{text(which)}</p>'
    )


def _role_field(given: Mapping[str, str]) -> str:
    chosen = given.get("role", ROLES[0])
    choices = "".join(
        f'<label><input type="radio" name="role" value="{role}"{" checked" if role == chosen else ""}> {role}</label>'
        for role in ROLES
    )
    return f"<fieldset><legend>You are signed in there as</legend>{choices}</fieldset>"
