"""Erasure: 202 without a body. It is no block-list, the next import makes the person anew."""

from __future__ import annotations

from integrations.klaviyo.sandbox.call import Call
from integrations.klaviyo.sandbox.store import profiles
from integrations.klaviyo.sandbox.wire import Answer, empty_answer


def create(call: Call) -> Answer:
    checks = call.checks
    data = checks.mapping(call.body(), "data", "")
    checks.resource(data, "data-privacy-deletion-job", "/data", ("attributes",))
    attributes = checks.mapping(data, "attributes", "/data")
    checks.keys(attributes, ("profile",), "/data/attributes", "data-privacy-deletion-job")
    pointer = "/data/attributes/profile/data"
    wrapper = checks.mapping(attributes, "profile", "/data/attributes")
    profile = checks.mapping(wrapper, "data", "/data/attributes/profile")
    checks.resource(profile, "profile", pointer, ("id", "attributes"))
    inner = checks.mapping(profile, "attributes", pointer)
    checks.keys(inner, ("email", "phone_number"), f"{pointer}/attributes", "profile")
    identifier = checks.text(profile, "id", pointer)
    email = checks.text(inner, "email", f"{pointer}/attributes")
    phone = checks.text(inner, "phone_number", f"{pointer}/attributes")
    if sum(1 for value in (identifier, email, phone) if value) != 1:
        checks.refuse("Exactly one of id, email and phone_number must be given.", pointer)
    checks.finish()
    with call.db.transaction():
        numbers = _meant(call, identifier, email, phone)
        profiles.delete(call.db, numbers)
    call.wrote("profiles_deleted", len(numbers))
    return empty_answer(202)


def _meant(call: Call, identifier: str | None, email: str | None, phone: str | None) -> list[int]:
    if identifier:
        return profiles.numbers_of_ids(call.db, call.a, [identifier])[0]
    column, value = ("email", email.lower()) if email else ("phone", phone or "")
    return [profile.n for profile in profiles.by_column(call.db, call.a, column, [value])]
