"""Profiles: search and page through them, and one person with all that is known."""

from __future__ import annotations

import json
from html import escape

from integrations.klaviyo.sandbox.pages.layout import Html, facts, link, page, pager, path_of, table, when
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store import consent, lists, profiles
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.store.profiles import Profile
from integrations.klaviyo.sandbox.subscriptions_view import subscriptions
from integrations.klaviyo.sandbox.wire import Answer, Request

SIZE = 50
_HIGHEST = "\U0010ffff"


def index(state: State, account: Account, request: Request) -> Answer:
    """Newest changes first, or everybody whose address, phone or external id begins as searched."""
    query = (request.parameter("q") or "").strip()
    offset = offset_of(request)
    where, arguments = _search(query)
    # A search is unordered: any order would make SQLite walk the account instead of the three indexes.
    order = "" if query else " ORDER BY p.updated DESC, p.n DESC"
    rows = state.db.rows(
        f"SELECT {profiles.COLUMNS} FROM profiles p WHERE p.a = ?{where}{order} LIMIT ? OFFSET ?",
        (account.a, *arguments, SIZE + 1, offset),
    )
    found = [profiles.from_row(row) for row in rows]
    form = Html(
        f'<form><input name="q" value="{escape(query)}" aria-label="Search profiles"'
        ' placeholder="Address, phone or external id begins with…"><button>Search</button></form>'
    )
    shown = [_line(account, profile) for profile in found[:SIZE]]
    path = path_of(account.name, "profiles")
    return page(
        "Profiles",
        form,
        table(["Person", "External id", "Name", "Changed"], shown, "Nobody found."),
        pager(path, query, offset, SIZE, len(found) > SIZE),
        account=account.name,
        section="profiles",
    )


def detail(state: State, account: Account, identifier: str) -> Answer | None:
    profile = profiles.by_id(state.db, account.a, identifier)
    if profile is None:
        return None
    pills = "".join(
        f'<a class="pill" href="{path_of(account.name, "lists", str(row["n"]))}">{escape(row["name"])}</a>'
        for row in lists.of_profile(state.db, profile.n)
    )
    return page(
        profile.email or profile.external_id or profile.id,
        facts(_fields(profile)),
        Html("<h2>Properties</h2>"),
        facts((key, _plain(value)) for key, value in sorted(profile.props.items())),
        Html(f"<h2>Lists</h2><p>{pills or 'On no list.'}</p><h2>Consent</h2>"),
        table(["Channel", "Consent", "Since"], _consent(state, profile)),
        Html("<h2>Events</h2>"),
        table(["When", "Metric", "Properties"], _events(state, profile), "No event yet."),
        account=account.name,
        section="profiles",
    )


def offset_of(request: Request) -> int:
    given = request.parameter("offset") or "0"
    return int(given) if given.isdecimal() else 0


def _search(query: str) -> tuple[str, list[str]]:
    """Prefixes of each identifier; ranges, because they use the indexes."""
    if not query:
        return "", []
    lowered = query.lower()
    columns = ("email", "phone", "external_id")
    clause = " OR ".join(f"(p.{column} >= ? AND p.{column} < ?)" for column in columns)
    bounds = [lowered, lowered + _HIGHEST, query, query + _HIGHEST, query, query + _HIGHEST]
    return f" AND ({clause})", bounds


def _line(account: Account, profile: Profile) -> list[str | None]:
    name = " ".join(filter(None, (profile.attrs.get("first_name"), profile.attrs.get("last_name"))))
    label = profile.email or profile.phone or profile.id
    url = path_of(account.name, "profiles", profile.id)
    return [link(url, label), profile.external_id, name, when(profile.updated)]


def _fields(profile: Profile) -> list[tuple[str, str | None]]:
    location = profile.attrs.get("location") or {}
    return [
        ("Klaviyo id", profile.id),
        ("Email", profile.email),
        ("Phone", profile.phone),
        ("External id", profile.external_id),
        *((key, _plain(value)) for key, value in sorted(profile.attrs.items()) if key != "location"),
        *((f"location {key}", _plain(value)) for key, value in sorted(location.items()) if value is not None),
        ("Created", when(profile.created)),
        ("Changed", when(profile.updated)),
    ]


def _consent(state: State, profile: Profile) -> list[list[str | None]]:
    suppressed = consent.suppressions_of(state.db, [profile.n]).get(profile.n, [])
    shown = subscriptions(profile, suppressed)
    rows: list[list[str | None]] = []
    for channel, kind in (("email", "marketing"), ("sms", "marketing"), ("sms", "transactional")):
        held = shown[channel][kind]
        rows.append([f"{channel} {kind}", held["consent"], held["consent_timestamp"]])
    for list_n, reason, at in suppressed:
        rows.append(["suppressed on a list" if list_n else "suppressed", reason, when(at)])
    return rows + [["waiting for confirmation", channel, ""] for channel in consent.pending(profile)]


def _events(state: State, profile: Profile) -> list[list[str]]:
    rows = state.db.rows(
        "SELECT e.at, e.props, e.backfill, m.name FROM events e JOIN metrics m ON m.n = e.metric_n"
        " WHERE e.profile_n = ? ORDER BY e.at DESC, e.n DESC LIMIT 100",
        (profile.n,),
    )
    return [
        [when(row["at"]), row["name"] + (" (history)" if row["backfill"] else ""), row["props"]]
        for row in rows
    ]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
