"""Lists and the people on them."""

from __future__ import annotations

from integrations.klaviyo.sandbox import ids
from integrations.klaviyo.sandbox.pages.layout import Html, link, page, path_of, table, when
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store import lists
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.store.database import Row
from integrations.klaviyo.sandbox.wire import Answer, Request

_SHOWN = 200


def index(state: State, account: Account, request: Request) -> Answer:
    rows = state.db.rows("SELECT * FROM lists WHERE a = ? ORDER BY n", (account.a,))
    shown = [
        [
            link(path_of(account.name, "lists", str(row["n"])), row["name"]),
            Html(f"<code>{ids.short_id(row['n'], 'list')}</code>"),
            row["opt_in"].replace("_", " "),
            f"{lists.count(state.db, row['n']):,}",
        ]
        for row in rows
    ]
    made = table(["List", "Id", "Opt-in", "Members#"], shown, "No list yet.")
    return page("Lists", made, account=account.name, section="lists")


def detail(state: State, account: Account, number: str) -> Answer | None:
    if not number.isdecimal():
        return None
    row = state.db.row("SELECT * FROM lists WHERE n = ? AND a = ?", (int(number), account.a))
    if row is None:
        return None
    members = state.db.rows(
        "SELECT p.id, p.email, p.phone, p.external_id, m.joined FROM list_members m"
        " JOIN profiles p ON p.n = m.profile_n WHERE m.list_n = ? AND m.joined IS NOT NULL"
        " ORDER BY m.joined DESC, m.profile_n DESC LIMIT ?",
        (row["n"], _SHOWN),
    )
    shown = [
        [
            link(path_of(account.name, "profiles", member["id"]), _label(member)),
            member["external_id"],
            when(member["joined"]),
        ]
        for member in members
    ]
    total = lists.count(state.db, row["n"])
    note = f"{total:,} on this list" + (f"; the newest {_SHOWN} are shown." if total > _SHOWN else ".")
    return page(
        row["name"],
        Html(f'<p class="soft">{note}</p>'),
        table(["Person", "External id", "Joined"], shown, "Nobody is on this list."),
        account=account.name,
        section="lists",
    )


def _label(member: Row) -> str:
    label: str = member["email"] or member["phone"] or member["id"]
    return label
