"""Routes of the pages: /, /accounts/<account>, and one section below it per noun.

/profile/<id> and /list/<id>, the addresses that Klaviyo's own pages have, lead to the page here.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.pages import apps, feeds, lists, overview, people
from integrations.klaviyo.sandbox.pages.layout import page, path_of
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.wire import Answer, Request, empty_answer

_Section = Callable[[State, Account, Request], Answer]
_Detail = Callable[[State, Account, str], Answer | None]

_SECTIONS: dict[str, _Section] = {
    "profiles": people.index,
    "lists": lists.index,
    "events": feeds.events,
    "jobs": feeds.jobs,
    "flows": feeds.flows,
    "requests": feeds.requests,
    "apps": apps.index,
}
_KNOWN_AS: dict[str, tuple[str, Callable[[str], int | None]]] = {
    "profile": ("profiles", ids.profile_number),
    "list": ("lists", lambda identifier: ids.number_of(identifier, "list")),
}
_DETAILS: dict[str, _Detail] = {"profiles": people.detail, "lists": lists.detail, "jobs": feeds.job}


def serve(state: State, request: Request) -> Answer:
    """Answer one page; all but the apps are for reading only."""
    parts = [unquote(part) for part in request.path.split("/") if part]
    if request.method not in ("GET", "HEAD") and not (request.method == "POST" and parts[2:] == ["apps"]):
        return page("This is a page to look at", status=405)
    if not parts:
        return overview.accounts(state)
    if len(parts) == 2 and parts[0] in _KNOWN_AS:
        return _found(state, *parts) or _nothing()
    account = state.accounts.find(parts[1]) if parts[0] == "accounts" and len(parts) > 1 else None
    answer = _below(state, account, parts[2:], request) if account is not None else None
    return answer or _nothing()


def _nothing() -> Answer:
    return page("There is nothing here", '<p><a href="/">All accounts</a></p>', status=404)


def _found(state: State, kind: str, identifier: str) -> Answer | None:
    """Where the profile or list with that id is shown, whichever account it is of."""
    section, number_of = _KNOWN_AS[kind]
    number = number_of(identifier)
    row = state.db.row(f"SELECT a FROM {section} WHERE n = ?", (number,)) if number is not None else None
    account = state.accounts.by_number(row["a"]) if row else None
    if account is None:
        return None
    shown = str(number) if kind == "list" else identifier
    return empty_answer(302, {"Location": path_of(account.name, section, shown)})


def _below(state: State, account: Account, parts: list[str], request: Request) -> Answer | None:
    if not parts:
        return overview.account(state, account)
    if len(parts) == 1 and parts[0] in _SECTIONS:
        return _SECTIONS[parts[0]](state, account, request)
    if len(parts) == 2 and parts[0] in _DETAILS:
        return _DETAILS[parts[0]](state, account, parts[1])
    return None
