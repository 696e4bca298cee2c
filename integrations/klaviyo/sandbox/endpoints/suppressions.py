"""Suppression jobs: by address (at most 100) or for everybody on a list."""

from __future__ import annotations

from integrations.klaviyo.sandbox import resources
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.errors import not_found
from integrations.klaviyo.sandbox.store import jobs, lists
from integrations.klaviyo.sandbox.suppressing import LIFT, SUPPRESS
from integrations.klaviyo.sandbox.values import is_email
from integrations.klaviyo.sandbox.wire import Answer, json_answer, to_json

MAX_ADDRESSES = 100


def create(call: Call) -> Answer:
    return _queue(call, SUPPRESS)


def delete(call: Call) -> Answer:
    return _queue(call, LIFT)


def detail_of_create(call: Call) -> Answer:
    return _detail(call, SUPPRESS)


def detail_of_delete(call: Call) -> Answer:
    return _detail(call, LIFT)


def _queue(call: Call, kind: str) -> Answer:
    body, checks = call.body(), call.checks
    data = checks.mapping(body, "data", "")
    checks.resource(data, kind, "/data", ("attributes", "relationships"))
    attributes = checks.mapping(data, "attributes", "/data")
    checks.keys(attributes, ("profiles",), "/data/attributes", kind)
    wrapper = checks.mapping(attributes, "profiles", "/data/attributes", required=False)
    emails = []
    for index, row in enumerate(checks.array(wrapper, "data", "/data/attributes/profiles", required=False)):
        pointer = f"/data/attributes/profiles/data/{index}"
        checks.resource(row, "profile", pointer, ("attributes",))
        email = (
            checks.text(checks.mapping(row, "attributes", pointer), "email", f"{pointer}/attributes") or ""
        )
        if not is_email(email):
            checks.refuse("Invalid email address", f"{pointer}/attributes/email")
        emails.append(email.lower())
    relations = checks.mapping(data, "relationships", "/data", required=False)
    checks.stray(relations, ("list", "segment"), "/data/relationships")
    list_id = checks.mapping(
        checks.mapping(relations, "list", "", required=False), "data", "", required=False
    ).get("id")
    row_of_list = lists.by_id(call.db, call.a, str(list_id)) if list_id else None
    if list_id and row_of_list is None:
        checks.refuse(f"A list with id {list_id} does not exist.", "/data/relationships/list/data/id")
    if bool(emails) == bool(list_id) or len(emails) > MAX_ADDRESSES:
        checks.refuse(f"Either 1 to {MAX_ADDRESSES} profiles or a list must be given.", "/data")
    checks.finish()
    numbers = [row_of_list["n"]] if row_of_list is not None else []
    total = len(emails) or lists.count(call.db, numbers[0])
    made = jobs.create(call.db, call.a, kind, total=total, lists=numbers, body=to_json(emails))
    call.state.worker.enqueue(made["n"], call.a)
    shown = resources.suppression_job(call.origin, made)
    return json_answer(202, {"data": shown, "links": {"self": call.request.url}})


def _detail(call: Call, kind: str) -> Answer:
    row = jobs.by_id(call.db, call.a, kind, call.path_id)
    if row is None:
        raise not_found(kind, call.path_id)
    data = resources.sparse(resources.suppression_job(call.origin, row), call.query.fields.get(kind))
    return json_answer(200, {"data": data, "links": {"self": call.request.url}})
