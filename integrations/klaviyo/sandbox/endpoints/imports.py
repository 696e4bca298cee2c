"""Bulk profile import jobs: the synchronous checks, and reading what became of a job."""

from __future__ import annotations

import json
from typing import Any

from integrations.klaviyo.sandbox import conditions, ids, payloads, resources
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.endpoints import people
from integrations.klaviyo.sandbox.errors import invalid, not_found
from integrations.klaviyo.sandbox.paging import Page, Source, links, read_page
from integrations.klaviyo.sandbox.store import jobs, lists
from integrations.klaviyo.sandbox.store import profiles as store
from integrations.klaviyo.sandbox.store.database import Row
from integrations.klaviyo.sandbox.wire import Answer, json_answer

MAX_ROWS = 10_000


def create(call: Call) -> Answer:
    """Check the whole body, all or nothing (rudder-server PR 7107), and queue the job."""
    body = call.body()
    checks = call.checks
    checks.stray(body, ("data",), "")
    data = checks.mapping(body, "data", "")
    checks.resource(data, "profile-bulk-import-job", "/data", ("attributes", "relationships"))
    rows = _rows(call, data)
    list_numbers = _list_numbers(call, data)
    checks.finish()
    with call.db.transaction():
        row = jobs.create(
            call.db, call.a, jobs.IMPORT, total=len(rows), lists=list_numbers, body=call.request.body
        )
    call.wrote("rows_accepted", len(rows))
    call.state.worker.enqueue(row["n"], call.a)
    return json_answer(202, {"data": _shown(call, row), "links": {"self": call.request.url}})


def _rows(call: Call, data: dict[str, Any]) -> list[dict[str, Any]]:
    checks = call.checks
    attributes = checks.mapping(data, "attributes", "/data")
    checks.keys(attributes, ("profiles",), "/data/attributes", "profile-bulk-import-job")
    wrapper = checks.mapping(attributes, "profiles", "/data/attributes")
    rows = checks.array(wrapper, "data", "/data/attributes/profiles")
    where = "/data/attributes/profiles/data"
    if not rows or len(rows) > MAX_ROWS:
        checks.refuse(f"Between 1 and {MAX_ROWS} profiles must be given.", where)
        checks.finish()
    can_be_too_big = len(call.request.body) > payloads.MAX_PROFILE_BYTES
    refused = call.account.refused_now
    for index, row in enumerate(rows):
        payload = payloads.read_profile(checks, row, f"{where}/{index}", keys=payloads.IMPORT_KEYS)
        if can_be_too_big:
            payloads.check_size(checks, row, f"{where}/{index}")
        if refused and payload.identity.email in refused:
            # Planned: a refusal that names no row, so that a sender has to search for it.
            raise invalid(refused[payload.identity.email], "/data")
    return rows


def _list_numbers(call: Call, data: dict[str, Any]) -> list[int]:
    """`relationships.lists`, plural; a misspelt key is without effect at Klaviyo, and a violation here."""
    relations = call.checks.mapping(data, "relationships", "/data", required=False)
    call.checks.stray(relations, ("lists",), "/data/relationships")
    wrapper = call.checks.mapping(relations, "lists", "/data/relationships", required=False)
    numbers = []
    for item in call.checks.array(wrapper, "data", "/data/relationships/lists", required=False):
        call.checks.resource(item, "list", "/data/relationships/lists/data", ("id",))
        row = lists.by_id(call.db, call.a, str(item.get("id")))
        if row is None:
            # No row index here, as observed (rudder-server PR 7107).
            raise invalid(
                f"A list with id {item.get('id')} does not exist.", "/data/relationships/lists/data"
            )
        numbers.append(row["n"])
    return numbers


def index(call: Call) -> Answer:
    where, arguments = conditions.for_jobs(call.query.conditions)
    source = Source(
        "*",
        "jobs",
        "a = ? AND kind = ?" + where,
        (call.a, jobs.IMPORT, *arguments),
        "created",
        "n",
        call.query.sort.startswith("-"),
    )
    page = read_page(call.db, source, call.query.size, call.query.cursor)
    return json_answer(
        200, {"data": [_shown(call, row) for row in page.rows], "links": links(call.request, page)}
    )


def detail(call: Call) -> Answer:
    row = _job(call)
    body: dict[str, Any] = {"data": _shown(call, row), "links": {"self": call.request.url}}
    if "lists" in call.query.include:
        body["included"] = [resources.list_(call.origin, found) for found in _lists(call, row)]
    return json_answer(200, body)


def lists_of(call: Call) -> Answer:
    wanted = call.query.fields.get("list")
    data = [resources.sparse(resources.list_(call.origin, row), wanted) for row in _lists(call, _job(call))]
    return json_answer(200, {"data": data, "links": links(call.request, Page([]))})


def list_ids_of(call: Call) -> Answer:
    data = [{"type": "list", "id": ids.short_id(row["n"], "list")} for row in _lists(call, _job(call))]
    return json_answer(200, {"data": data, "links": links(call.request, Page([]))})


def profiles_of(call: Call) -> Answer:
    numbers, page = _profile_page(call)
    found = store.by_numbers(call.db, numbers)
    people_found = [found[number] for number in numbers if number in found]
    return json_answer(200, {"data": people.shown(call, people_found), "links": links(call.request, page)})


def profile_ids_of(call: Call) -> Answer:
    numbers, page = _profile_page(call)
    found = store.by_numbers(call.db, numbers)
    data = [{"type": "profile", "id": found[number].id} for number in numbers if number in found]
    return json_answer(200, {"data": data, "links": links(call.request, page)})


def errors_of(call: Call) -> Answer:
    source = Source("*", "import_errors", "job_n = ?", (_job(call)["n"],), "n", "n")
    page = read_page(call.db, source, call.query.size, call.query.cursor)
    wanted = call.query.fields.get("import-error")
    data = [resources.sparse(_error(row), wanted) for row in page.rows]
    return json_answer(200, {"data": data, "links": links(call.request, page)})


def _error(row: Row) -> resources.Json:
    attributes = {
        "code": row["code"],
        "title": row["title"],
        "detail": row["detail"],
        "source": {"pointer": row["pointer"]},
        "original_payload": json.loads(row["payload"]),
    }
    return {
        "type": "import-error",
        "id": ids.short_id(row["n"], "import-error", 11),
        "attributes": attributes,
    }


def _profile_page(call: Call) -> tuple[list[int], Page]:
    """A slice of the job's own list of profiles; its cursor is the position in it."""
    numbers = jobs.profile_numbers(_job(call))
    try:
        start = int(call.query.cursor, 36) if call.query.cursor else 0
    except ValueError:
        start = -1
    if start < 0:
        raise invalid("Invalid page cursor.", parameter="page[cursor]")
    end = start + call.query.size
    following = _base36(end) if end < len(numbers) else None
    before = _base36(max(0, start - call.query.size)) if start else None
    return numbers[start:end], Page([], following, before)


def _base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def _job(call: Call) -> Row:
    row = jobs.by_id(call.db, call.a, jobs.IMPORT, call.path_id)
    if row is None:
        raise not_found("profile-bulk-import-job", call.path_id)
    return row


def _lists(call: Call, row: Row) -> list[Row]:
    return lists.by_numbers(call.db, json.loads(row["lists"]))


def _shown(call: Call, row: Row) -> resources.Json:
    return resources.sparse(
        resources.import_job(call.origin, row), call.query.fields.get("profile-bulk-import-job")
    )
