"""Reading metrics and events."""

from __future__ import annotations

from typing import Any

from integrations.klaviyo.sandbox import conditions, ids, resources
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.endpoints import people
from integrations.klaviyo.sandbox.errors import not_found
from integrations.klaviyo.sandbox.paging import Source, links, read_page
from integrations.klaviyo.sandbox.store import events as store
from integrations.klaviyo.sandbox.store import flows, profiles
from integrations.klaviyo.sandbox.store.database import Row
from integrations.klaviyo.sandbox.wire import Answer, json_answer

_INTEGRATION = {"integration.name": "API", "integration.category": "API"}


def index(call: Call) -> Answer:
    source = Source("*", "metrics", "a = ?", (call.a,), "n", "n")
    for condition in call.query.conditions:
        if _INTEGRATION[condition.field] != condition.value:
            source = Source("*", "metrics", "a = ? AND 0", (call.a,), "n", "n")
    page = read_page(call.db, source, call.query.size, call.query.cursor)
    data = [_shown(call, row) for row in page.rows]
    body: dict[str, Any] = {"data": data, "links": links(call.request, page)}
    if call.query.include:
        body["included"] = _triggers(call, page.rows)
    return json_answer(200, body)


def detail(call: Call) -> Answer:
    row = one(call)
    body: dict[str, Any] = {"data": _shown(call, row), "links": {"self": call.request.url}}
    if call.query.include:
        body["included"] = _triggers(call, [row])
    return json_answer(200, body)


def one(call: Call) -> Row:
    row = store.metric_by_id(call.db, call.a, call.path_id)
    if row is None:
        raise not_found("metric", call.path_id)
    return row


def events(call: Call) -> Answer:
    where, arguments = conditions.for_events(call.query.conditions)
    # Newest first unless asked otherwise, as the endpoint does.
    sort = call.query.sort or "-datetime"
    source = Source(
        "e.*, p.id AS profile_id",
        "events e JOIN profiles p ON p.n = e.profile_n",
        "e.a = ?" + where,
        (call.a, *arguments),
        "e.at",
        "e.n",
        sort.startswith("-"),
    )
    page = read_page(call.db, source, call.query.size, call.query.cursor)
    wanted = call.query.fields.get("event")
    data = [
        resources.sparse(resources.event(call.origin, row, row["profile_id"]), wanted) for row in page.rows
    ]
    body: dict[str, Any] = {"data": data, "links": links(call.request, page)}
    if call.query.include:
        body["included"] = _included(call, page.rows)
    return json_answer(200, body)


def event(call: Call) -> Answer:
    row = store.by_id(call.db, call.a, call.path_id)
    if row is None:
        raise not_found("event", call.path_id)
    owner = profiles.by_numbers(call.db, [row["profile_n"]])[row["profile_n"]]
    made = resources.event(call.origin, row, owner.id)
    data = resources.sparse(made, call.query.fields.get("event"))
    body: dict[str, Any] = {"data": data, "links": {"self": call.request.url}}
    if call.query.include:
        body["included"] = _included(call, [row])
    return json_answer(200, body)


def _included(call: Call, rows: list[Row]) -> list[resources.Json]:
    made: list[resources.Json] = []
    if "profile" in call.query.include:
        found = profiles.by_numbers(call.db, {row["profile_n"] for row in rows})
        made += people.shown(call, found.values())
    if "metric" in call.query.include:
        identifiers = {ids.short_id(row["metric_n"], "metric") for row in rows}
        metrics = (store.metric_by_id(call.db, call.a, identifier) for identifier in sorted(identifiers))
        made += [_shown(call, metric) for metric in metrics if metric is not None]
    return made


def _shown(call: Call, row: Row) -> resources.Json:
    return resources.sparse(resources.metric(call.origin, row), call.query.fields.get("metric"))


def _triggers(call: Call, rows: list[Row]) -> list[resources.Json]:
    found = [flow for row in rows for flow in flows.on_metric(call.db, call.a, row["name"])]
    return [resources.flow(call.origin, flow) for flow in found]
