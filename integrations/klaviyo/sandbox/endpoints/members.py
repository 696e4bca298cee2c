"""Who is on a list: read, add, remove. Membership never changes consent."""

from __future__ import annotations

from integrations.klaviyo.sandbox import conditions
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.endpoints import people
from integrations.klaviyo.sandbox.endpoints.lists import one
from integrations.klaviyo.sandbox.errors import invalid
from integrations.klaviyo.sandbox.paging import Page, Source, links, read_page
from integrations.klaviyo.sandbox.store import lists as store
from integrations.klaviyo.sandbox.store import profiles
from integrations.klaviyo.sandbox.store.profiles import COLUMNS
from integrations.klaviyo.sandbox.values import stamp
from integrations.klaviyo.sandbox.wire import Answer, empty_answer, json_answer

MAX_IDS = 1_000


def index(call: Call) -> Answer:
    page = _page(call, f"{COLUMNS}, m.joined")
    found = [profiles.from_row(row[:-3]) for row in page.rows]
    wanted = call.query.fields.get("profile")
    data = people.shown(call, found)
    for made, row in zip(data, page.rows, strict=True):
        if wanted is None or "joined_group_at" in wanted:
            made["attributes"]["joined_group_at"] = stamp(row["joined"])
    return json_answer(200, {"data": data, "links": links(call.request, page)})


def ids_of(call: Call) -> Answer:
    page = _page(call, "p.id")
    data = [{"type": "profile", "id": row["id"]} for row in page.rows]
    return json_answer(200, {"data": data, "links": links(call.request, page)})


def add(call: Call) -> Answer:
    list_n = one(call)["n"]
    with call.db.transaction():
        numbers = _named(call)
        store.add(call.db, call.a, list_n, numbers)
    call.wrote("memberships_added", len(numbers))
    return empty_answer(204)


def remove(call: Call) -> Answer:
    list_n = one(call)["n"]
    with call.db.transaction():
        numbers = _named(call)
        store.remove(call.db, list_n, numbers)
    call.wrote("memberships_removed", len(numbers))
    return empty_answer(204)


def _page(call: Call, columns: str) -> Page:
    list_n = one(call)["n"]
    where, arguments = conditions.for_members(call.query.conditions)
    tables = "list_members m JOIN profiles p ON p.n = m.profile_n"
    if any(condition.field in ("email", "phone_number") for condition in call.query.conditions):
        # From the few addresses to the list, never through a million members to a few addresses.
        tables = "profiles p CROSS JOIN list_members m ON m.profile_n = p.n"
    source = Source(
        columns,
        tables,
        "m.list_n = ? AND m.joined IS NOT NULL AND p.a = ?" + where,
        (list_n, call.a, *arguments),
        "m.joined",
        "m.profile_n",
        call.query.sort.startswith("-"),
    )
    return read_page(call.db, source, call.query.size, call.query.cursor)


def _named(call: Call) -> list[int]:
    """The profiles of the body; one unknown id refuses the whole call, naming it in `detail` only."""
    body = call.body()
    call.checks.stray(body, ("data",), "")
    items = call.checks.array(body, "data", "")
    if not items or len(items) > MAX_IDS:
        call.checks.refuse(f"Between 1 and {MAX_IDS} profiles must be given.", "/data")
    for index_, item in enumerate(items):
        call.checks.resource(item, "profile", f"/data/{index_}", ("id",))
    call.checks.finish()
    numbers, unknown = profiles.numbers_of_ids(call.db, call.a, [str(item.get("id")) for item in items])
    if unknown:
        raise invalid(f"Invalid profile IDs: {', '.join(unknown)}", "/data/")
    return numbers
