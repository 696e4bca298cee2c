"""All accounts, and one account at a glance."""

from __future__ import annotations

from typing import Any

from integrations.klaviyo.sandbox.control.reads import summary
from integrations.klaviyo.sandbox.pages.layout import Html, link, page, path_of, table, tiles
from integrations.klaviyo.sandbox.state import State
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.wire import Answer


def accounts(state: State) -> Answer:
    rows = []
    for name in state.accounts.names():
        counts = summary(state, state.accounts.open(name))
        numbers = [f"{counts[key]:,}" for key in ("profiles", "lists", "events", "flow_log")]
        rows.append([link(path_of(name), name), *numbers])
    headings = ["Account", "Profiles#", "Lists#", "Events#", "Flows started#"]
    hint = Html(
        '<p class="soft">A key of the form <code>pk_name_anything</code> opens an account of that name.</p>'
    )
    return page("Accounts", hint, table(headings, rows, "No account yet: make the first call with a key."))


def account(state: State, found: Account) -> Answer:
    counts = summary(state, found)
    counters = state.journal.counters(found.a)
    name = found.name
    entries = [
        ("Profiles", counts["profiles"], path_of(name, "profiles")),
        ("Lists", counts["lists"], path_of(name, "lists")),
        ("On lists", counts["memberships"], path_of(name, "lists")),
        ("Events", counts["events"], path_of(name, "events")),
        ("Jobs", sum(counts["jobs"].values()), path_of(name, "jobs")),
        ("Flows started", counts["flow_log"], path_of(name, "flows")),
        ("Calls", sum(values.get("calls", 0) for values in counters.values()), path_of(name, "requests")),
        ("Refused for rate", _refused(counters), path_of(name, "requests")),
    ]
    breaches = state.journal.violations(found.a)[-50:]
    return page(
        name,
        tiles(entries),
        Html("<h2>Calls by endpoint</h2>"),
        table(["Endpoint", "Calls#", "429s#", "Profiles written#"], _endpoints(counters), "No call yet."),
        Html("<h2>Bodies that the API description does not allow</h2>"),
        table(
            ["Endpoint", "Where", "What"],
            [[row["endpoint"], row["pointer"], row["detail"]] for row in breaches],
            "None: every body was well formed.",
        ),
        account=name,
    )


def _refused(counters: dict[str, dict[str, int]]) -> int:
    return sum(values.get("status_429", 0) for values in counters.values())


def _endpoints(counters: dict[str, dict[str, int]]) -> list[list[Any]]:
    return [
        [
            Html(f"<code>{endpoint}</code>"),
            f"{values.get('calls', 0):,}",
            f"{values.get('status_429', 0):,}",
            f"{values.get('profiles_written', 0):,}",
        ]
        for endpoint, values in sorted(counters.items())
    ]
