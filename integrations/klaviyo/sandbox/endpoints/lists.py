"""Lists: read, create, change, delete."""

from __future__ import annotations

from typing import Any

from integrations.klaviyo.sandbox import conditions, resources
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.errors import invalid, not_found
from integrations.klaviyo.sandbox.paging import Source, links, read_page
from integrations.klaviyo.sandbox.store import flows
from integrations.klaviyo.sandbox.store import lists as store
from integrations.klaviyo.sandbox.store.database import Row
from integrations.klaviyo.sandbox.wire import Answer, empty_answer, json_answer

_KEYS = ("name", "opt_in_process")
_OPT_INS = ("single_opt_in", "double_opt_in")
_SORT_KEYS = {"": "n", "id": "n", "created": "created", "updated": "updated", "name": "name"}


def index(call: Call) -> Answer:
    where, arguments = conditions.for_lists(call.query.conditions)
    sort = call.query.sort
    source = Source(
        "*",
        "lists",
        "a = ?" + where,
        (call.a, *arguments),
        _SORT_KEYS[sort.lstrip("-")],
        "n",
        sort.startswith("-"),
    )
    page = read_page(call.db, source, call.query.size, call.query.cursor)
    body: dict[str, Any] = {
        "data": [_shown(call, row) for row in page.rows],
        "links": links(call.request, page),
    }
    if call.query.include:
        body["included"] = _included(call, page.rows)
    return json_answer(200, body)


def create(call: Call) -> Answer:
    attributes = _attributes(call)
    name = call.checks.text(attributes, "name", "/data/attributes")
    if not name:
        call.checks.missing("name", "/data/attributes")
    opt_in = call.checks.choice(attributes, "opt_in_process", "/data/attributes", _OPT_INS)
    call.checks.finish()
    number = store.create(call.db, call.a, name or "", opt_in or call.account.settings.default_opt_in)
    call.wrote("lists_created")
    (row,) = store.by_numbers(call.db, [number])
    return json_answer(201, {"data": _shown(call, row), "links": {"self": call.request.url}})


def detail(call: Call) -> Answer:
    row = one(call)
    made = resources.list_(call.origin, row)
    if call.query.adds("list", "profile_count"):
        made["attributes"]["profile_count"] = store.count(call.db, row["n"])
    data = resources.sparse(made, call.query.fields.get("list"))
    body: dict[str, Any] = {"data": data, "links": {"self": call.request.url}}
    if call.query.include:
        body["included"] = _included(call, [row])
    return json_answer(200, body)


def update(call: Call) -> Answer:
    row = one(call)
    attributes = _attributes(call, identifier=call.path_id)
    name = call.checks.text(attributes, "name", "/data/attributes")
    opt_in = call.checks.choice(attributes, "opt_in_process", "/data/attributes", _OPT_INS)
    call.checks.finish()
    store.update(call.db, row["n"], name=name, opt_in=opt_in)
    return json_answer(200, {"data": _shown(call, one(call)), "links": {"self": call.request.url}})


def delete(call: Call) -> Answer:
    store.delete(call.db, one(call)["n"])
    return empty_answer(204)


def one(call: Call) -> Row:
    """The list of the path; 404 when a merchant deleted it."""
    row = store.by_id(call.db, call.a, call.path_id)
    if row is None:
        raise not_found("list", call.path_id)
    return row


def _attributes(call: Call, identifier: str | None = None) -> dict[str, Any]:
    body = call.body()
    call.checks.stray(body, ("data",), "")
    data = call.checks.mapping(body, "data", "")
    call.checks.resource(data, "list", "/data", ("attributes", *(["id"] if identifier else [])))
    if identifier is not None and data.get("id") != identifier:
        raise invalid("The id in the body must equal the id in the path.", "/data/id")
    attributes = call.checks.mapping(data, "attributes", "/data")
    call.checks.keys(attributes, _KEYS, "/data/attributes", "list")
    return attributes


def _shown(call: Call, row: Row) -> resources.Json:
    return resources.sparse(resources.list_(call.origin, row), call.query.fields.get("list"))


def _included(call: Call, rows: list[Row]) -> list[resources.Json]:
    if "flow-triggers" not in call.query.include:
        return []
    return [
        resources.flow(call.origin, flow) for row in rows for flow in flows.on_list(call.db, call.a, row["n"])
    ]
