"""Events in: one by one, or up to a thousand in a body. 202 says accepted, not kept."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from integrations.klaviyo.sandbox import payloads
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.checks import Checks
from integrations.klaviyo.sandbox.endpoints.event_body import KEYS, read_event
from integrations.klaviyo.sandbox.endpoints.profiles import PARTIAL_FAILURE
from integrations.klaviyo.sandbox.errors import not_found
from integrations.klaviyo.sandbox.payloads import ProfilePayload
from integrations.klaviyo.sandbox.store.events import NewEvent, record
from integrations.klaviyo.sandbox.store.workspace import UnknownId, Workspace
from integrations.klaviyo.sandbox.wire import Answer, empty_answer

MAX_EVENTS = 1_000
_TEST_DOMAINS = ("@example.com", "@test.com")
_REPEATED = "unique_id is repeated within the request."


class _Group(NamedTuple):
    """Events of one person."""

    profile: ProfilePayload
    events: list[NewEvent]


def create(call: Call) -> Answer:
    body = call.body()
    call.checks.stray(body, ("data",), "")
    data = call.checks.mapping(body, "data", "")
    call.checks.resource(data, "event", "/data", ("attributes",))
    attributes = call.checks.mapping(data, "attributes", "/data")
    event = read_event(call, attributes, "/data/attributes", KEYS | {"profile"})
    profile = _read_profile(call, attributes, "/data/attributes", payloads.SINGLE_EVENT_KEYS)
    call.checks.finish()
    _keep(call, [_Group(profile, [event])])
    return empty_answer(202, PARTIAL_FAILURE if profile.phone_ignored else {})


def create_many(call: Call) -> Answer:
    body = call.body()
    call.checks.stray(body, ("data",), "")
    data = call.checks.mapping(body, "data", "")
    call.checks.resource(data, "event-bulk-create-job", "/data", ("attributes",))
    attributes = call.checks.mapping(data, "attributes", "/data")
    call.checks.keys(attributes, ("events-bulk-create",), "/data/attributes", "event-bulk-create-job")
    wrapper = call.checks.mapping(attributes, "events-bulk-create", "/data/attributes")
    where = "/data/attributes/events-bulk-create"
    items = call.checks.array(wrapper, "data", where)
    groups = [_read_group(call, item, f"{where}/data/{index}") for index, item in enumerate(items)]
    count = sum(len(group.events) for group in groups)
    if not 1 <= count <= MAX_EVENTS:
        call.checks.refuse(f"Between 1 and {MAX_EVENTS} events must be given.", f"{where}/data")
    _refuse_repeats(call.checks, groups, where)
    call.checks.finish()
    _keep(call, groups)
    return empty_answer(202)


def _read_group(call: Call, item: dict[str, Any], pointer: str) -> _Group:
    checks = call.checks
    checks.resource(item, "event-bulk-create", pointer, ("attributes",))
    attributes = checks.mapping(item, "attributes", pointer)
    here = f"{pointer}/attributes"
    checks.keys(attributes, ("profile", "events", "backfill"), here, "event-bulk-create")
    is_backfill = checks.flag(attributes, "backfill", here)
    profile = _read_profile(call, attributes, here, payloads.EVENT_KEYS)
    wrapper = checks.mapping(attributes, "events", here)
    events = []
    for index, resource in enumerate(checks.array(wrapper, "data", f"{here}/events")):
        where = f"{here}/events/data/{index}"
        checks.resource(resource, "event", where, ("attributes",))
        inner = checks.mapping(resource, "attributes", where)
        event = read_event(call, inner, f"{where}/attributes", KEYS)
        events.append(event._replace(backfill=event.backfill or is_backfill))
    return _Group(profile, events)


def _read_profile(
    call: Call, attributes: dict[str, Any], pointer: str, keys: frozenset[str]
) -> ProfilePayload:
    wrapper = call.checks.mapping(attributes, "profile", pointer)
    data = call.checks.mapping(wrapper, "data", f"{pointer}/profile")
    has_meta = keys is not payloads.SINGLE_EVENT_KEYS
    return payloads.read_profile(
        call.checks, data, f"{pointer}/profile/data", keys=keys, forgives_phone=True, has_meta=has_meta
    )


def _refuse_repeats(checks: Checks, groups: list[_Group], where: str) -> None:
    """A repeated unique_id fails the whole body and nothing is kept (OpenAPI description of `unique_id`)."""
    seen: set[tuple[Any, str, str]] = set()
    for index, group in enumerate(groups):
        for number, event in enumerate(group.events):
            key = (group.profile.identity, event.metric, event.unique_id)
            if key in seen:
                pointer = f"{where}/data/{index}/attributes/events/data/{number}/attributes/unique_id"
                checks.refuse(_REPEATED, pointer)
            seen.add(key)


def _keep(call: Call, groups: list[_Group]) -> None:
    if call.account.settings.drop_test_domains:
        groups = [group for group in groups if not _is_test(group.profile)]
    with call.db.transaction():
        workspace = Workspace(call.db, call.a, int(time.time()))
        workspace.load(group.profile.identity for group in groups)
        numbers = []
        for group in groups:
            try:
                # No conflict here: the first identifier that is known decides whose event it is.
                profile = workspace.find(group.profile.identity, strict=False)
            except UnknownId as unknown:
                raise not_found("profile", str(unknown)) from None
            if profile is None:
                profile = workspace.create(group.profile.identity)
            payloads.apply(workspace, profile, group.profile, clears_nulls=False)
            newest = max(event.at for event in group.events)
            profile.last_event = max(profile.last_event or 0, newest)
            numbers.append(profile.n)
        workspace.save()
        kept = 0
        for number, group in zip(numbers, groups, strict=True):
            kept += sum(record(call.db, call.a, number, event) for event in group.events)
    call.wrote("profiles_written", sum(1 for group in groups if _writes_profile(group.profile)))
    call.wrote("events_written", kept)
    call.wrote("events_repeated", sum(len(group.events) for group in groups) - kept)


def _writes_profile(payload: ProfilePayload) -> bool:
    """Whether an event carries more than identifiers."""
    return bool(payload.patch) or any(
        name in (*payloads.TEXTS, "location", "properties") for name in payload.attributes
    )


def _is_test(payload: ProfilePayload) -> bool:
    return (payload.identity.email or "").endswith(_TEST_DOMAINS)
