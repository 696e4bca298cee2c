"""What Klaviyo's refusals mean (pure): a status, a body and the call become one error class.

The engine decides by class alone, so every judgement about Klaviyo's errors is here. Recorded samples:
status 401 not_authenticated, 403 permission_denied, 409 duplicate_profile, 429 throttled; there is no
official list of codes.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from integrations import errors
from integrations.errors import DestinationError, Refusal
from integrations.klaviyo import denials, rejections, wording
from integrations.klaviyo.limits import Endpoint
from integrations.klaviyo.protocol import Answer, Call

Json = Any
Errors = Sequence[Mapping[str, Json]]

DEFAULT_WAIT: Final = 10.0  # seconds, when a 429 does not say

_SECONDS: Final = re.compile(r"available in (\d+) second")

_LISTS: Final = (
    Endpoint.READ_LIST,
    Endpoint.UPDATE_LIST,
    Endpoint.READ_LIST_PROFILES,
    Endpoint.JOIN_LIST,
    Endpoint.LEAVE_LIST,
)
_BULK: Final = (Endpoint.START_IMPORT, Endpoint.SEND_EVENTS)
# Calls that carry what a merchant knows: a 400 is about that, not about us.
_CARRIES: Final = {
    Endpoint.START_IMPORT: "member",
    Endpoint.SEND_EVENTS: "event",
    Endpoint.IMPORT_PROFILE: "member",
    Endpoint.UPDATE_PROFILE: "member",
    Endpoint.SEND_EVENT: "event",
    Endpoint.ERASE: "erasure",
}


def failure(
    call: Call, answer: Answer, now: datetime, method: str = "private_key"
) -> DestinationError | None:
    """The error that an answer stands for; None when the call succeeded. `method`: how we are signed in."""
    if 200 <= answer.status < 300:
        return None
    found = _errors(answer)
    if answer.status == 429:
        return _throttled(answer, found, now)
    if answer.status >= 500 or answer.status in (408, 425):
        return _temporary(answer, found)
    if answer.status == 401:
        return denials.unauthorized(answer, _why(found), method)
    if answer.status == 403 and found:
        return denials.forbidden(call, answer, _why(found), method)
    if answer.status == 403:
        return denials.at_the_edge(answer)
    reader = _READERS.get(answer.status)
    if reader:
        return reader(call, answer, found)
    if answer.status >= 400:
        return errors.ConfigurationError(
            f"Klaviyo refused the form of our request (status {answer.status}): {_why(found)}.",
            request_id=answer.request_id,
        )
    return errors.UnexpectedAnswer(
        f"Klaviyo sent us elsewhere (status {answer.status}). Check the API address of this connection.",
        request_id=answer.request_id,
    )


def _bad_request(call: Call, answer: Answer, found: Errors) -> DestinationError:
    if not found:
        return _unread(answer)
    gone = rejections.missing_list(call, found)
    if gone is not None:
        return errors.ListGone(
            f"Klaviyo does not know the list {gone}: {_why(found)}.",
            list_id=gone,
            request_id=answer.request_id,
        )
    if call.endpoint in (Endpoint.JOIN_LIST, Endpoint.LEAVE_LIST):
        return _list_call(answer, found)
    what = _CARRIES.get(call.endpoint)
    if what and not any(wording.is_about_the_call(error) for error in found):
        rows = rejections.by_row(found, what) if call.endpoint in _BULK else [rejections.whole(found, what)]
        return _rejected(answer, found, rows)
    return errors.ConfigurationError(
        f"Klaviyo refused our request: {_why(found)}.", request_id=answer.request_id
    )


def _list_call(answer: Answer, found: Errors) -> DestinationError:
    """The address or the revision is our trouble, the list that of its mapping, anything else its people's."""
    unknown = rejections.unknown_profiles(found)
    if not unknown and any(wording.is_about_the_call(error) for error in found):
        return errors.ConfigurationError(
            f"Klaviyo refused our request: {_why(found)}.", request_id=answer.request_id
        )
    if not unknown and any(rejections.is_about_lists(error) for error in found):
        return errors.ListRefused(f"Klaviyo says: {_why(found)}.", request_id=answer.request_id)
    return _rejected(answer, found, unknown)


def _not_found(call: Call, answer: Answer, found: Errors) -> DestinationError:
    if not found:
        return _unread(answer)
    if call.endpoint in _LISTS:
        return errors.ListGone(
            f"The list {call.subject} does not exist in Klaviyo any more.",
            list_id=call.subject,
            request_id=answer.request_id,
        )
    if call.endpoint in (Endpoint.UPDATE_PROFILE, Endpoint.ERASE):
        return errors.ProfileGone(
            "This profile was merged or deleted in Klaviyo.", request_id=answer.request_id
        )
    gone = rejections.missing_list(call, found)
    if gone is not None:
        return errors.ListGone(
            f"The list {gone} does not exist in Klaviyo any more.", list_id=gone, request_id=answer.request_id
        )
    return errors.UnexpectedAnswer(
        f"Klaviyo does not know this: {_why(found)}.", request_id=answer.request_id
    )


def _conflict(call: Call, answer: Answer, found: Errors) -> DestinationError:
    for error in found:
        meta = error.get("meta")
        other = meta.get("duplicate_profile_id") if isinstance(meta, dict) else None
        if other or error.get("code") == "duplicate_profile":
            return errors.IdentityConflict(
                "Another profile in Klaviyo already has this e-mail address or phone number.",
                other_id=str(other or ""),
                request_id=answer.request_id,
            )
    return errors.UnexpectedAnswer(
        f"Klaviyo reports a conflict: {_why(found)}.", request_id=answer.request_id
    )


def _gone(call: Call, answer: Answer, found: Errors) -> DestinationError:
    return errors.ConfigurationError(
        f"Klaviyo has retired the API revision of this connection: {_why(found)}. Set a newer one.",
        request_id=answer.request_id,
    )


def _too_large(call: Call, answer: Answer, found: Errors) -> DestinationError:
    return errors.TooLarge(f"Klaviyo found the body too large: {_why(found)}.", request_id=answer.request_id)


_READERS: Final[dict[int, Callable[[Call, Answer, Errors], DestinationError]]] = {
    400: _bad_request,
    404: _not_found,
    409: _conflict,
    410: _gone,
    413: _too_large,
}


def _throttled(answer: Answer, found: Errors, now: datetime) -> DestinationError:
    seconds = retry_after(answer.headers.get("retry-after", ""), now)
    if seconds is None:
        told = _SECONDS.search(_why(found))
        seconds = float(told[1]) if told else DEFAULT_WAIT
    return errors.RateLimited("Klaviyo asks us to slow down.", seconds=max(1.0, seconds))


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds from a Retry-After header: a number or an HTTP date; None when it is neither."""
    if re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000"
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


def _temporary(answer: Answer, found: Errors) -> DestinationError:
    why = f": {_why(found)}" if found else ""
    return errors.Temporary(
        f"Klaviyo could not take the call just now (status {answer.status}){why}.",
        request_id=answer.request_id,
    )


def _unread(answer: Answer) -> DestinationError:
    return errors.UnexpectedAnswer(
        f"Klaviyo refused with an answer that we cannot read (status {answer.status}).",
        request_id=answer.request_id,
    )


def _rejected(answer: Answer, found: Errors, refusals: Sequence[Refusal]) -> DestinationError:
    code = str(found[0].get("code") or "rejected")
    words = refusals[0].words if refusals else f"Klaviyo refused the whole batch: {_why(found)}."
    return errors.RowsRejected(words, refusals, code=code, request_id=answer.request_id)


def _errors(answer: Answer) -> Errors:
    """The error objects of a JSON:API body; nothing for a page of HTML or anything else."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return []
    found = value.get("errors") if isinstance(value, dict) else None
    return [error for error in found if isinstance(error, dict)] if isinstance(found, list) else []


def _why(found: Errors) -> str:
    return "; ".join(dict.fromkeys(wording.detail(error) for error in found[:3])) or "no reason given"
