"""Which flows an account has, and which a list add or an event would start."""

from __future__ import annotations

from integrations.klaviyo.sandbox import conditions, ids, resources
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.endpoints import lists, metrics
from integrations.klaviyo.sandbox.errors import not_found
from integrations.klaviyo.sandbox.paging import Page, Source, links, read_page
from integrations.klaviyo.sandbox.store import flows as store
from integrations.klaviyo.sandbox.store.database import Row
from integrations.klaviyo.sandbox.wire import Answer, json_answer

_SORT_KEYS = {"": "n", "id": "n", "updated": "created"}


def index(call: Call) -> Answer:
    where, arguments = conditions.for_flows(call.query.conditions)
    name = call.query.sort.lstrip("-")
    key, is_falling = _SORT_KEYS.get(name, name), call.query.sort.startswith("-")
    source = Source("*", "flows", "a = ?" + where, (call.a, *arguments), key, "n", is_falling)
    page = read_page(call.db, source, call.query.size, call.query.cursor)
    return _collection(call, page.rows, page)


def detail(call: Call) -> Answer:
    number = ids.number_of(call.path_id, "flow")
    row = call.db.row("SELECT * FROM flows WHERE n = ? AND a = ?", (number, call.a))
    if row is None:
        raise not_found("flow", call.path_id)
    made = resources.flow(call.origin, row)
    if call.query.adds("flow", "definition"):
        made["attributes"]["definition"] = None
    data = resources.sparse(made, call.query.fields.get("flow"))
    return json_answer(200, {"data": data, "links": {"self": call.request.url}})


def of_list(call: Call) -> Answer:
    return _collection(call, store.on_list(call.db, call.a, lists.one(call)["n"]), Page([]))


def of_metric(call: Call) -> Answer:
    return _collection(call, store.on_metric(call.db, call.a, metrics.one(call)["name"]), Page([]))


def ids_of_list(call: Call) -> Answer:
    return _identifiers(call, store.on_list(call.db, call.a, lists.one(call)["n"]))


def ids_of_metric(call: Call) -> Answer:
    return _identifiers(call, store.on_metric(call.db, call.a, metrics.one(call)["name"]))


def _collection(call: Call, rows: list[Row], page: Page) -> Answer:
    wanted = call.query.fields.get("flow")
    data = [resources.sparse(resources.flow(call.origin, row), wanted) for row in rows]
    return json_answer(200, {"data": data, "links": links(call.request, page)})


def _identifiers(call: Call, rows: list[Row]) -> Answer:
    data = [{"type": "flow", "id": ids.short_id(row["n"], "flow")} for row in rows]
    return json_answer(200, {"data": data, "links": links(call.request, Page([]))})
