"""What came in, newest first: events, jobs, started flows, calls."""

from __future__ import annotations

import json
from html import escape

from integrations.klaviyo.sandbox.pages.layout import Html, facts, link, page, pager, path_of, table, when
from integrations.klaviyo.sandbox.pages.people import offset_of
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store import flows as flow_store
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.wire import Answer, Request

SIZE = 50


def events(state: State, account: Account, request: Request) -> Answer:
    offset = offset_of(request)
    rows = state.db.rows(
        "SELECT e.received, e.backfill, e.props, m.name, p.id, p.email, p.external_id FROM events e"
        " JOIN metrics m ON m.n = e.metric_n JOIN profiles p ON p.n = e.profile_n"
        " WHERE e.a = ? ORDER BY e.at DESC, e.n DESC LIMIT ? OFFSET ?",
        (account.a, SIZE + 1, offset),
    )
    shown = [
        [
            when(row["received"]),
            row["name"] + (" (history)" if row["backfill"] else ""),
            link(
                path_of(account.name, "profiles", row["id"]), row["email"] or row["external_id"] or row["id"]
            ),
            Html(f"<code>{_short(row['props'])}</code>"),
        ]
        for row in rows[:SIZE]
    ]
    return page(
        "Events",
        table(["Received", "Metric", "Person", "Properties"], shown, "No event yet."),
        pager(path_of(account.name, "events"), "", offset, SIZE, len(rows) > SIZE),
        account=account.name,
        section="events",
    )


def jobs(state: State, account: Account, request: Request) -> Answer:
    rows = state.db.rows(
        "SELECT n, kind, status, created, started, completed, total, done, failed FROM jobs WHERE a = ?"
        " ORDER BY n DESC LIMIT 200",
        (account.a,),
    )
    shown = [
        [
            link(path_of(account.name, "jobs", str(row["n"])), row["kind"]),
            row["status"],
            when(row["created"]),
            f"{row['total']:,}",
            f"{row['done']:,}",
            f"{row['failed']:,}",
        ]
        for row in rows
    ]
    made = table(["Job", "Status", "Accepted", "Rows#", "Applied#", "Failed#"], shown, "No job yet.")
    return page("Jobs", made, account=account.name, section="jobs")


def job(state: State, account: Account, number: str) -> Answer | None:
    row = state.db.row("SELECT * FROM jobs WHERE n = ? AND a = ?", (number, account.a))
    if row is None:
        return None
    errors = state.db.rows(
        "SELECT code, detail, pointer, payload FROM import_errors WHERE job_n = ? ORDER BY n LIMIT 200",
        (row["n"],),
    )
    about = [
        ("Id", row["id"]),
        ("Status", row["status"]),
        ("Accepted", when(row["created"])),
        ("Started", when(row["started"])),
        ("Complete", when(row["completed"])),
        ("Rows", f"{row['total']:,}"),
        ("Applied", f"{row['done']:,}"),
        ("Failed", f"{row['failed']:,}"),
    ]
    shown = [[error["code"], error["detail"], error["pointer"], error["payload"]] for error in errors]
    return page(
        row["kind"],
        facts(about),
        Html("<h2>Import errors</h2>"),
        table(["Code", "Detail", "Where", "Payload"], shown, "None."),
        account=account.name,
        section="jobs",
    )


def flows(state: State, account: Account, request: Request) -> Answer:
    rows = state.db.rows("SELECT * FROM flows WHERE a = ? ORDER BY n", (account.a,))
    known = [[row["name"], row["status"], row["trigger_type"], row["metric"]] for row in rows]
    starts = [
        [when(start["at"]), start["flow"], start["email"] or start["external_id"], start["source"]]
        for start in flow_store.log(state.db, account.a, 200)
    ]
    return page(
        "Flows",
        table(["Flow", "Status", "Trigger", "Metric"], known, "No flow yet."),
        Html("<h2>Started, newest first</h2>"),
        table(["When", "Flow", "Person", "Because of"], starts, "No flow was started."),
        account=account.name,
        section="flows",
    )


def requests(state: State, account: Account, request: Request) -> Answer:
    rows = state.journal.requests(account.a, 200)
    shown = [
        [
            when(row["at"]),
            Html(f"<code>{row['method']}</code>"),
            row["path"],
            row["status"] or row["ending"],
            f"{row['bytes']:,}",
            f"{row['milliseconds']:.1f}",
        ]
        for row in rows
    ]
    made = table(["When", "Method", "Path", "Status#", "Bytes#", "ms#"], shown, "No call yet.")
    return page("Requests", made, account=account.name, section="requests")


def _short(properties: str) -> str:
    pairs = [f"{key}: {value}" for key, value in json.loads(properties).items()]
    joined = ", ".join(pairs)
    return escape(joined if len(joined) <= 160 else joined[:159] + "…")
