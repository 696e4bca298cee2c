"""What Klaviyo's successful answers mean (pure). Failures: failures.py."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from integrations.errors import Refusal, UnexpectedAnswer
from integrations.gateway.values import JobState, RemoteList, RemoteProfile, WriteReceipt
from integrations.klaviyo import conf, payloads, wording
from integrations.klaviyo.protocol import Answer

Json = Any

_OPT_INS: Final = {"single_opt_in": "single", "double_opt_in": "double"}
_OUR_NAMES: Final = {theirs: ours for ours, theirs in payloads.STANDARD.items()}


def document(answer: Answer) -> dict[str, Json]:
    """The JSON object in the body. Raises UnexpectedAnswer for anything else."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(answer) from error
    if not isinstance(value, dict):
        raise _unreadable(answer)
    return value


def resource(answer: Answer) -> Mapping[str, Json]:
    """The one resource of an answer, which has an id."""
    return _checked(answer, document(answer).get("data"))


def resources(answer: Answer) -> Iterator[Mapping[str, Json]]:
    """The resources of one page."""
    data = document(answer).get("data")
    if not isinstance(data, list):
        raise _unreadable(answer)
    for item in data:
        yield _checked(answer, item)


def account(answer: Answer) -> tuple[str, str, bool]:
    """The account's id and name, and whether it is a test account."""
    for item in resources(answer):
        attributes = item.get("attributes") or {}
        contact = attributes.get("contact_information") or {}
        name = contact.get("organization_name") or item["id"]
        return str(item["id"]), str(name), attributes.get("test_account") is True
    raise _unreadable(answer)


def receipt(answer: Answer) -> WriteReceipt:
    ignored = answer.headers.get("x-klaviyo-partial-failure", "")
    names = [name.strip() for name in ignored.split(",") if name.strip()]
    return WriteReceipt(
        remote_id=str(resource(answer)["id"]),
        created=answer.status == 201,
        ignored=tuple(_OUR_NAMES.get(name, name) for name in names),
    )


def job_id(answer: Answer) -> str:
    return str(resource(answer)["id"])


def job_state(answer: Answer) -> JobState:
    attributes = resource(answer).get("attributes") or {}
    status = attributes.get("status")
    if status not in ("queued", "processing", "complete", "cancelled"):
        raise UnexpectedAnswer(
            f"Klaviyo told a state of the import job that we do not know: {str(status)[:60]}.",
            request_id=answer.request_id,
        )
    return JobState(
        is_done=status in ("complete", "cancelled"),
        is_cancelled=status == "cancelled",
        total=_count(attributes.get("total_count")),
        failed=_count(attributes.get("failed_count")),
    )


def import_errors(answer: Answer) -> Iterator[Refusal]:
    """The rows that a job refused. The payload that comes back says who; the pointer is only a hint."""
    for item in resources(answer):
        error = item.get("attributes") or {}
        pointer = wording.pointer(error)
        identifiers = _identifiers(error.get("original_payload"))
        code = str(error.get("code") or "invalid")
        yield Refusal(
            code=code,
            words=wording.words(error, what="member"),
            index=None if identifiers else wording.row(pointer),
            identifiers=identifiers,
            permanent=code not in wording.PASSING,
        )


def profile(item: Mapping[str, Json]) -> RemoteProfile:
    """A profile in our words; what is empty there is left out."""
    attributes = item.get("attributes") or {}
    found = attributes | (attributes.get("location") or {})
    pairs = ((ours, found.get(theirs)) for ours, theirs in payloads.STANDARD.items())
    values = {ours: value for ours, value in pairs if value is not None}
    may_receive, has_subscribed = _email_consent(attributes.get("subscriptions"))
    properties = attributes.get("properties") or {}
    return RemoteProfile(str(item["id"]), values, properties, may_receive, has_subscribed)


def remote_list(item: Mapping[str, Json]) -> RemoteList:
    """A list; the count of people is there only where one list was read with it."""
    attributes = item.get("attributes") or {}
    people = attributes.get("profile_count")
    return RemoteList(
        str(item["id"]),
        str(attributes.get("name") or ""),
        people if isinstance(people, int) else None,
        _OPT_INS.get(str(attributes.get("opt_in_process")), ""),
    )


def revision_warning(answer: Answer, wanted: str, today: date) -> str:
    """A sentence for the operator when another revision answered, or this one goes away soon."""
    served = answer.headers.get("x-klaviyo-api-revision", "")
    if served and served != wanted:
        return f"Klaviyo answered with API revision {served} instead of {wanted}."
    retirement = answer.headers.get("x-klaviyo-api-retirement-date", "")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", retirement):
        return ""
    try:
        days = (date.fromisoformat(retirement) - today).days
    except ValueError:
        return ""
    if days >= conf.RETIREMENT_NOTICE_DAYS:
        return ""
    return f"Klaviyo retires API revision {wanted} on {retirement}: update the portal before then."


def _identifiers(payload: Json) -> tuple[str, ...]:
    """External id, e-mail and phone out of a refused row, whether it came back whole or as attributes."""
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            return ()
    for key in ("data", "attributes"):
        if isinstance(payload, dict) and isinstance(payload.get(key), dict):
            payload = payload[key]
    if not isinstance(payload, dict):
        return ()
    found = (payload.get(name) for name in ("external_id", "email", "phone_number"))
    return tuple(str(value) for value in found if value)


def _email_consent(subscriptions: Json) -> tuple[bool | None, bool | None]:
    """(may receive, has subscribed) of marketing e-mail; None where it was not asked for.

    Klaviyo's "can receive" says only that nothing forbids it: it is true of people who never subscribed.
    """
    found = subscriptions
    for key in ("email", "marketing"):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None, None
    return found.get("can_receive_email_marketing") is True, found.get("consent") == "SUBSCRIBED"


def _checked(answer: Answer, item: Json) -> Mapping[str, Json]:
    if not isinstance(item, dict) or not item.get("id"):
        raise _unreadable(answer)
    return item


def _count(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _unreadable(answer: Answer) -> UnexpectedAnswer:
    what = "an empty answer" if not answer.body else "an answer that we cannot read"
    return UnexpectedAnswer(f"Klaviyo gave {what} (status {answer.status}).", request_id=answer.request_id)
