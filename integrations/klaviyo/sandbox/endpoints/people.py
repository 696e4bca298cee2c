"""Reading profiles: by filter, by id, and the lists of one person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from integrations.klaviyo.sandbox import conditions, paging, resources
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.errors import not_found
from integrations.klaviyo.sandbox.paging import Source, links, read_page
from integrations.klaviyo.sandbox.store import consent, lists
from integrations.klaviyo.sandbox.store import profiles as store
from integrations.klaviyo.sandbox.store.profiles import COLUMNS, Profile
from integrations.klaviyo.sandbox.subscriptions_view import subscriptions
from integrations.klaviyo.sandbox.wire import Answer, json_answer

# Sorting by id is sorting by row number: ids are ULIDs, made in that order.
_SORT_KEYS = {
    "created": "p.created",
    "updated": "p.updated",
    "email": "coalesce(p.email, '')",
    "id": "p.n",
    "": "p.n",
    "subscriptions.email.marketing.suppression.timestamp": "coalesce((SELECT max(at) FROM suppressions s"
    " WHERE s.profile_n = p.n AND s.list_n = 0), 0)",
    "subscriptions.email.marketing.list_suppressions.timestamp": "coalesce((SELECT max(at) FROM"
    " suppressions s"
    " WHERE s.profile_n = p.n AND s.list_n > 0), 0)",
}


def index(call: Call) -> Answer:
    where, arguments = conditions.for_profiles(call.query.conditions)
    sort = call.query.sort
    source = Source(
        COLUMNS,
        "profiles p",
        "p.a = ?" + where,
        (call.a, *arguments),
        _SORT_KEYS[sort.lstrip("-")],
        "p.n",
        sort.startswith("-"),
    )
    page = read_page(call.db, source, call.query.size, call.query.cursor)
    found = [store.from_row(row[:-2]) for row in page.rows]
    return json_answer(200, {"data": shown(call, found), "links": links(call.request, page)})


def detail(call: Call) -> Answer:
    profile = one(call)
    body: dict[str, Any] = {"data": shown(call, [profile])[0], "links": {"self": call.request.url}}
    if "lists" in call.query.include:
        rows = lists.of_profile(call.db, profile.n)
        body["included"] = [resources.list_(call.origin, row) for row in rows]
    elif call.query.include:
        body["included"] = []
    return json_answer(200, body)


def lists_of(call: Call) -> Answer:
    rows = lists.of_profile(call.db, one(call).n)
    wanted = call.query.fields.get("list")
    data = [resources.sparse(resources.list_(call.origin, row), wanted) for row in rows]
    return json_answer(200, {"data": data, "links": links(call.request, paging.Page([]))})


def list_ids_of(call: Call) -> Answer:
    rows = lists.of_profile(call.db, one(call).n)
    data = [{"type": "list", "id": resources.list_(call.origin, row)["id"]} for row in rows]
    return json_answer(200, {"data": data, "links": links(call.request, paging.Page([]))})


def one(call: Call) -> Profile:
    """The profile of the path; 404 when it is unknown, merged away or deleted."""
    profile = store.by_id(call.db, call.a, call.path_id)
    if profile is None:
        raise not_found("profile", call.path_id)
    return profile


def shown(call: Call, found: Iterable[Profile]) -> list[resources.Json]:
    """Profiles as resources, with what the call asked for."""
    found = list(found)
    wanted = call.query.fields.get("profile")
    has_consent = call.query.adds("profile", "subscriptions")
    if wanted is not None and any(name.startswith("subscriptions") for name in wanted):
        has_consent = True
    suppressed = consent.suppressions_of(call.db, [profile.n for profile in found]) if has_consent else {}
    data = []
    for profile in found:
        made = resources.profile(call.origin, profile)
        if has_consent:
            made["attributes"]["subscriptions"] = subscriptions(profile, suppressed.get(profile.n, []))
        if call.query.adds("profile", "predictive_analytics"):
            made["attributes"]["predictive_analytics"] = None
        data.append(resources.sparse(made, wanted))
    return data
