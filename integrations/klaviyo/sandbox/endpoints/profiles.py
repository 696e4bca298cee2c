"""Writing one profile: create, create or update, update, merge."""

from __future__ import annotations

import time

from integrations.klaviyo.sandbox import payloads
from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.checks import Checks
from integrations.klaviyo.sandbox.endpoints import people
from integrations.klaviyo.sandbox.errors import duplicate_profile, invalid, not_found
from integrations.klaviyo.sandbox.payloads import ProfilePayload
from integrations.klaviyo.sandbox.store import profiles as store
from integrations.klaviyo.sandbox.store.profiles import Profile
from integrations.klaviyo.sandbox.store.workspace import Conflict, Identity, UnknownId, Workspace
from integrations.klaviyo.sandbox.wire import Answer, json_answer

# A good address beside a bad number: success, number ignored, this header (changelog 2025).
PARTIAL_FAILURE = {"X-Klaviyo-Partial-Failure": "phone_number"}


def create(call: Call) -> Answer:
    payload = _read(call, payloads.CREATE_KEYS, has_meta=False, has_id=False)
    with call.db.transaction():
        workspace = _workspace(call, [payload.identity])
        try:
            found = workspace.find(payload.identity)
        except Conflict as conflict:
            raise duplicate_profile(conflict.other.id) from None
        if found is not None:
            raise duplicate_profile(found.id)
        profile = workspace.create(payload.identity)
        payloads.apply(workspace, profile, payload, clears_nulls=True)
        workspace.save()
    return _written(call, 201, profile, payload)


def create_or_update(call: Call) -> Answer:
    payload = _read(call, payloads.IMPORT_KEYS)
    _accept_address(call, payload)
    with call.db.transaction():
        workspace = _workspace(call, [payload.identity])
        try:
            profile = workspace.find(payload.identity)
        except Conflict as conflict:
            raise duplicate_profile(conflict.other.id) from None
        except UnknownId as unknown:
            raise not_found("profile", str(unknown)) from None
        is_new = profile is None
        if profile is None:
            profile = workspace.create(payload.identity)
        payloads.apply(workspace, profile, payload, clears_nulls=True)
        workspace.save()
    return _written(call, 201 if is_new else 200, profile, payload)


def update(call: Call) -> Answer:
    payload = _read(call, payloads.CREATE_KEYS, needs_identity=False)
    _accept_address(call, payload)
    if payload.identity.id != call.path_id:
        raise invalid("The id in the body must equal the id in the path.", "/data/id")
    with call.db.transaction():
        workspace = _workspace(call, [payload.identity])
        try:
            profile = workspace.find(payload.identity)
        except Conflict as conflict:
            raise duplicate_profile(conflict.other.id) from None
        except UnknownId:
            raise not_found("profile", call.path_id) from None
        if profile is None:
            raise not_found("profile", call.path_id)
        payloads.apply(workspace, profile, payload, clears_nulls=True)
        workspace.save()
    return _written(call, 200, profile, payload)


def merge(call: Call) -> Answer:
    """Fold one source profile into the destination; the source is gone afterwards."""
    data = call.checks.mapping(call.body(), "data", "")
    call.checks.resource(data, "profile-merge", "/data", ("id", "relationships"))
    relations = call.checks.mapping(data, "relationships", "/data")
    wrapper = call.checks.mapping(relations, "profiles", "/data/relationships")
    sources = call.checks.array(wrapper, "data", "/data/relationships/profiles")
    if len(sources) != 1:
        call.checks.refuse("Exactly one source profile must be given.", "/data/relationships/profiles/data")
    call.checks.finish()
    with call.db.transaction():
        target, source = (_existing(call, str(item.get("id"))) for item in (data, sources[0]))
        if target.n == source.n:
            raise invalid("A profile cannot be merged into itself.", "/data/id")
        store.merge(call.db, target, source, int(time.time()))
    call.wrote("profiles_written")
    url = f"{call.origin}/api/profiles/{target.id}"
    data = {"type": "profile", "id": target.id, "links": {"self": url}}
    return json_answer(201, {"data": data, "links": {"self": call.request.url}})


def _existing(call: Call, identifier: str) -> Profile:
    profile = store.by_id(call.db, call.a, identifier)
    if profile is None:
        raise not_found("profile", identifier)
    return profile


def _read(
    call: Call,
    keys: frozenset[str],
    *,
    needs_identity: bool = True,
    has_meta: bool = True,
    has_id: bool = True,
) -> ProfilePayload:
    body = call.body(payloads.MAX_PROFILE_BYTES)
    checks: Checks = call.checks
    checks.stray(body, ("data",), "")
    data = checks.mapping(body, "data", "")
    payload = payloads.read_profile(
        checks,
        data,
        "/data",
        keys=keys,
        forgives_phone=True,
        needs_identity=needs_identity,
        has_meta=has_meta,
        has_id=has_id,
    )
    checks.finish()
    return (
        payload
        if has_id
        else ProfilePayload(
            payload.identity._replace(id=None), payload.attributes, payload.patch, payload.phone_ignored
        )
    )


def _workspace(call: Call, identities: list[Identity]) -> Workspace:
    workspace = Workspace(call.db, call.a, int(time.time()))
    workspace.load(identities)
    return workspace


def _accept_address(call: Call, payload: ProfilePayload) -> None:
    """400 for an address on the account's do-not-send list, where the control API put it there for good."""
    refused = call.account.refused_alone.get(payload.identity.email or "")
    if refused:
        raise invalid(refused, "/data/attributes/email")


def _written(call: Call, status: int, profile: Profile, payload: ProfilePayload) -> Answer:
    call.wrote("profiles_written")
    body = {"data": people.shown(call, [profile])[0], "links": {"self": call.request.url}}
    return json_answer(status, body, PARTIAL_FAILURE if payload.phone_ignored else {})
