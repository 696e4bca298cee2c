"""Subscribe and unsubscribe jobs: 202, no body, nothing to poll.

Sources: the two operations of the OpenAPI description; "collect email and SMS consent via API" guide.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.errors import not_found
from integrations.klaviyo.sandbox.store import consent, lists
from integrations.klaviyo.sandbox.store.database import Row
from integrations.klaviyo.sandbox.store.profiles import Profile
from integrations.klaviyo.sandbox.store.workspace import Identity, UnknownId, Workspace
from integrations.klaviyo.sandbox.values import is_email, is_phone, read_stamp
from integrations.klaviyo.sandbox.wire import Answer, empty_answer

MAX_SUBSCRIBE = 1_000
MAX_UNSUBSCRIBE = 100

_CHANNELS = {
    "email": ("marketing", "open_tracking"),
    "sms": ("marketing", "transactional"),
    "whatsapp": ("marketing", "transactional"),
    "push": ("marketing",),
}
_MORE_TO_LEAVE = {"whatsapp": ("marketing", "transactional", "conversational")}


class _Wish(NamedTuple):
    """What one person of a job asks for: channel to the time of consent, None for now."""

    identity: Identity
    channels: dict[str, int | None]


class _Job(NamedTuple):
    wishes: list[_Wish]
    target: Row | None
    is_historical: bool
    source: str | None


def subscribe(call: Call) -> Answer:
    """Give consent. Lifts suppressions; under double opt-in the person stays unsubscribed until they
    confirm.
    """
    job = _read(call, "profile-subscription-bulk-create-job", consent.SUBSCRIBED, MAX_SUBSCRIBE)
    opt_in = job.target["opt_in"] if job.target is not None else call.account.settings.default_opt_in
    must_confirm = opt_in == "double_opt_in" and not job.is_historical
    with call.db.transaction():
        joined = []
        workspace, people = _people(call, job)
        for wish, profile in zip(job.wishes, people, strict=True):
            for channel, at in wish.channels.items():
                if must_confirm and channel == "email.marketing":
                    list_n = job.target["n"] if job.target is not None else 0
                    consent.wait_for_confirmation(profile, channel, list_n, job.source)
                else:
                    _subscribe(call, profile, channel, at, job.source, is_double=opt_in == "double_opt_in")
            workspace.touch(profile)
            if not must_confirm or "email.marketing" not in wish.channels:
                joined.append(profile.n)
        workspace.save()
        if job.target is not None:
            lists.add(call.db, call.a, job.target["n"], joined, starts_flows=not job.is_historical)
    call.wrote("consents_written", len(job.wishes))
    return empty_answer(202)


def _subscribe(
    call: Call, profile: Profile, channel: str, at: int | None, source: str | None, *, is_double: bool
) -> None:
    now = int(time.time())
    consent.subscribe(profile, channel, now=now, at=at or now, source=source, is_double=is_double)
    if channel == "email.marketing":
        consent.lift(call.db, profile.n, consent.LIFTED_BY_SUBSCRIBE)


def unsubscribe(call: Call) -> Answer:
    """Take consent away. With a list given, whoever is not on that list is unsubscribed everywhere:
    Klaviyo's own trap.
    """
    job = _read(call, "profile-subscription-bulk-delete-job", consent.UNSUBSCRIBED, MAX_UNSUBSCRIBE)
    now = int(time.time())
    with call.db.transaction():
        workspace, people = _people(call, job)
        workspace.save()
        for wish, profile in zip(job.wishes, people, strict=True):
            if job.target is not None and lists.has(call.db, job.target["n"], profile.n):
                lists.remove(call.db, job.target["n"], [profile.n])
                consent.suppress(call.db, call.a, profile.n, "UNSUBSCRIBE", now, job.target["n"])
                continue
            for channel in wish.channels:
                consent.unsubscribe(profile, channel, now=now)
            if "email.marketing" in wish.channels:
                consent.suppress(call.db, call.a, profile.n, "UNSUBSCRIBE", now)
            workspace.touch(profile)
        workspace.save()
    call.wrote("consents_written", len(job.wishes))
    return empty_answer(202)


def _people(call: Call, job: _Job) -> tuple[Workspace, list[Profile]]:
    workspace = Workspace(call.db, call.a, int(time.time()))
    workspace.load(wish.identity for wish in job.wishes)
    found = []
    for wish in job.wishes:
        try:
            profile = workspace.find(wish.identity, strict=False)
        except UnknownId as unknown:
            raise not_found("profile", str(unknown)) from None
        found.append(profile or workspace.create(wish.identity))
    return workspace, found


def _read(call: Call, kind: str, word: str, maximum: int) -> _Job:
    body, checks = call.body(), call.checks
    checks.stray(body, ("data",), "")
    data = checks.mapping(body, "data", "")
    checks.resource(data, kind, "/data", ("attributes", "relationships"))
    attributes = checks.mapping(data, "attributes", "/data")
    is_subscribing = word == consent.SUBSCRIBED
    allowed = ("profiles", "custom_source", "historical_import") if is_subscribing else ("profiles",)
    checks.keys(attributes, allowed, "/data/attributes", kind)
    is_historical = checks.flag(attributes, "historical_import", "/data/attributes")
    wrapper = checks.mapping(attributes, "profiles", "/data/attributes")
    rows = checks.array(wrapper, "data", "/data/attributes/profiles")
    if not 1 <= len(rows) <= maximum:
        checks.refuse(f"Between 1 and {maximum} profiles must be given.", "/data/attributes/profiles/data")
        checks.finish()
    where = "/data/attributes/profiles/data"
    wishes = [_wish(call, row, f"{where}/{index}", word, is_historical) for index, row in enumerate(rows)]
    target = _target(call, data)
    source = checks.text(attributes, "custom_source", "/data/attributes")
    checks.finish()
    return _Job(wishes, target, is_historical, source)


def _target(call: Call, data: dict[str, Any]) -> Row | None:
    """`relationships.list`, singular here and plural in imports; a misspelt key is without effect."""
    relations = call.checks.mapping(data, "relationships", "/data", required=False)
    call.checks.stray(relations, ("list",), "/data/relationships")
    wrapper = call.checks.mapping(relations, "list", "/data/relationships", required=False)
    if not wrapper:
        return None
    item = call.checks.mapping(wrapper, "data", "/data/relationships/list")
    call.checks.resource(item, "list", "/data/relationships/list/data", ("id",))
    row = lists.by_id(call.db, call.a, str(item.get("id")))
    if row is None:
        call.checks.refuse(
            f"A list with id {item.get('id')} does not exist.", "/data/relationships/list/data/id"
        )
    return row


def _wish(call: Call, row: dict[str, Any], pointer: str, word: str, is_historical: bool) -> _Wish:
    checks, here = call.checks, f"{pointer}/attributes"
    is_subscribing = word == consent.SUBSCRIBED
    checks.resource(row, "profile", pointer, ("attributes", *(["id"] if is_subscribing else [])))
    attributes = checks.mapping(row, "attributes", pointer)
    # No custom properties here: consent and data are two calls.
    allowed = (
        "email",
        "phone_number",
        "subscriptions",
        *(["age_gated_date_of_birth"] if is_subscribing else []),
    )
    checks.keys(attributes, allowed, here, "profile")
    identity = _identity(call, row, attributes, here)
    subscriptions = checks.mapping(attributes, "subscriptions", here)
    channels: dict[str, int | None] = {}
    for channel, wanted in subscriptions.items():
        known = (
            _CHANNELS.get(channel, ()) if is_subscribing else {**_CHANNELS, **_MORE_TO_LEAVE}.get(channel, ())
        )
        kinds = wanted if isinstance(wanted, dict) else {}
        ignored = ("tokens", "anonymous_id") if channel == "push" else ()
        checks.keys(kinds, (*known, *ignored), f"{here}/subscriptions/{channel}", "subscriptions")
        if not known:
            checks.breach(f"'{channel}' is not a channel.", f"{here}/subscriptions/{channel}")
        for kind in known:
            if kind in kinds:
                where = f"{here}/subscriptions/{channel}/{kind}"
                channels[f"{channel}.{kind}"] = _consented_at(call, kinds, kind, where, word, is_historical)
        if channel == "sms" and identity.phone is None:
            detail = "'phone_number' must not be empty when the sms channel is included in 'subscriptions'."
            checks.refuse(detail, f"{here}/phone_number")
    return _Wish(identity, channels)


def _identity(call: Call, row: dict[str, Any], attributes: dict[str, Any], pointer: str) -> Identity:
    email = call.checks.text(attributes, "email", pointer)
    phone = call.checks.text(attributes, "phone_number", pointer)
    if email is not None:
        email = email.strip().lower()
        if not is_email(email):
            call.checks.refuse("Invalid email address", f"{pointer}/email")
    if phone is not None and not is_phone(phone):
        call.checks.refuse("Invalid phone number format", f"{pointer}/phone_number")
    identifier = row.get("id") if isinstance(row.get("id"), str) else None
    if not (email or phone or identifier):
        call.checks.refuse("An email or phone_number must be given.", pointer)
    return Identity(identifier, None, email, phone)


def _consented_at(
    call: Call, kinds: dict[str, Any], kind: str, pointer: str, word: str, is_historical: bool
) -> int | None:
    """`consented_at` goes with `historical_import`, both or neither, and lies in the past."""
    checks = call.checks
    value = checks.mapping(kinds, kind, pointer.rpartition("/")[0])
    allowed = (
        ("consent", "consented_at")
        if word == consent.SUBSCRIBED and kind != "open_tracking"
        else ("consent",)
    )
    checks.keys(value, allowed, pointer, "subscriptions")
    if checks.choice(value, "consent", pointer, (word,)) is None and "consent" not in value:
        checks.missing("consent", pointer)
    text = checks.text(value, "consented_at", pointer)
    if text is None:
        if is_historical and "consented_at" in allowed:
            checks.refuse(
                "'consented_at' is required when 'historical_import' is true.", f"{pointer}/consented_at"
            )
        return None
    at = read_stamp(text)
    if not is_historical:
        checks.refuse("'consented_at' requires 'historical_import' to be true.", f"{pointer}/consented_at")
    elif at is None or at > time.time():
        checks.refuse("'consented_at' must be a datetime in the past.", f"{pointer}/consented_at")
    return int(at) if at is not None else None
