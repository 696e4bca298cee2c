"""Installed apps of an account, and the button that removes one as a merchant would."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl

from integrations.klaviyo.sandbox.oauth import asking
from integrations.klaviyo.sandbox.pages.layout import Html, page, path_of, table, when
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store import grants
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.wire import Answer, Request


def index(state: State, account: Account, request: Request) -> Answer:
    path = path_of(account.name, "apps")
    if request.method == "POST":
        return _remove(state, account, request, path)
    shown = [
        [
            asking.APP_NAME,
            Html(f"<code>{escape(row['client'])}</code>"),
            row["scopes"].replace(" ", ", "),
            row["role"],
            when(row["created"]),
            when(row["used"]),
            _button(path, row["client"]),
        ]
        for row in grants.installed(state.db, account.a)
    ]
    hint = Html(
        '<p class="soft">Removing an app ends its access at once; the app itself is told nothing.</p>'
    )
    headings = ["App", "Client", "May", "Allowed by", "Since", "Last renewed", ""]
    made = table(headings, shown, "No app is installed: connect one from the portal.")
    return page("Apps", hint, made, account=account.name, section="apps")


def _remove(state: State, account: Account, request: Request, path: str) -> Answer:
    if request.headers.get("origin", request.origin) != request.origin:
        return page("This button is pressed here only", status=403)
    given = dict(parse_qsl(request.body.decode(errors="replace")))
    grants.uninstall(state.db, account.a, given.get("client", ""))
    return Answer(303, headers={"Location": path})


def _button(path: str, client: str) -> Html:
    return Html(
        f'<form class="one" method="post" action="{escape(path)}"><input type="hidden" name="client" '
        f'value="{escape(client)}"><button>Remove app</button></form>'
    )
