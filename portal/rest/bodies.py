"""JSON bodies in and out. What two parsers could read differently is refused, not guessed."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from portal.rest import strict_json
from portal.rest.problems import Problem, fault

JSON = "application/json"


@dataclass(frozen=True)
class Envelope:
    """A body that is an object with known keys. Its items may still be anything that JSON can say."""

    values: dict[str, Any]
    is_suspect: bool

    def items(self, key: str, *, at_most: int) -> list[Any]:
        """The list under `key`; an absent key is an empty list."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise Problem(
                422, "invalid-body", f"“{key}” must be a list.", errors=[fault(f"/{key}", "must be a list")]
            )
        if len(value) > at_most:
            sentence = f"“{key}” holds {len(value):,} items; one call takes {at_most:,}. Make several calls."
            raise Problem(
                422, "too-many-items", sentence, errors=[fault(f"/{key}", f"at most {at_most:,} items")]
            )
        return value

    def objection(self, item: object) -> str | None:
        """Why this item cannot be looked at further, or nothing."""
        if not isinstance(item, dict):
            return "must be an object"
        return self.text_objection(item)

    def text_objection(self, value: object) -> str | None:
        return strict_json.unstorable(value, look_at_text=self.is_suspect)


def envelope(request: HttpRequest, *, required: Collection[str], optional: Collection[str] = ()) -> Envelope:
    """The body as an object with exactly the keys that the call knows."""
    found = object_of(request)
    known = [*required, *optional]
    errors = [
        fault("/" + _escape(key), f"unknown key; known here: {', '.join(known) or 'none'}")
        for key in found.values
        if key not in known
    ]
    errors += [fault("/" + key, "is missing") for key in required if key not in found.values]
    if errors:
        raise Problem(422, "invalid-body", "The body has keys missing or unknown.", errors=errors[:20])
    return found


def object_of(request: HttpRequest) -> Envelope:
    """The body as an object with any keys."""
    try:
        parsed = strict_json.parse(raw(request))
    except strict_json.Unreadable as error:
        raise Problem(400, "unreadable-body", f"The body cannot be read as JSON: {error}.") from error
    if not isinstance(parsed.value, dict):
        raise Problem(
            422, "invalid-body", "The body must be a JSON object.", errors=[fault("", "must be an object")]
        )
    return Envelope(parsed.value, parsed.is_suspect)


def raw(request: HttpRequest) -> bytes:
    """The body as it came. Its type is looked at before its size, and that before anything is read."""
    _refuse_other_types(request)
    if _is_chunked(request):
        return _read_chunked(request)
    try:
        return request.body
    except RequestDataTooBig as error:
        raise _too_big() from error
    except UnreadablePostError as error:
        raise Problem(
            400, "unreadable-body", "The connection broke off before the whole body had come."
        ) from error


def answer(data: object, *, status: int = 200) -> HttpResponse:
    # In ASCII, so that an echo of half a surrogate pair cannot break the answer.
    return HttpResponse(json.dumps(data), status=status, content_type=JSON)


def _refuse_other_types(request: HttpRequest) -> None:
    kind = request.content_type or JSON
    charset = str((request.content_params or {}).get("charset", "utf-8")).lower()
    if kind != JSON or charset not in ("utf-8", "utf8"):
        sentence = "Send the body as JSON in UTF-8, with the header Content-Type: application/json."
        raise Problem(415, "unsupported-media-type", sentence, headers={"Accept": JSON})
    if request.META.get("HTTP_CONTENT_ENCODING", "").lower() not in ("", "identity"):
        sentence = "Compressed bodies are not read; send it without Content-Encoding."
        raise Problem(415, "unsupported-media-type", sentence, headers={"Accept-Encoding": "identity"})


def _is_chunked(request: HttpRequest) -> bool:
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()


def _read_chunked(request: HttpRequest) -> bytes:
    """A body without a Content-Length. Django reads none of it; the server may have decoded it."""
    known = getattr(request, "chunked_body", None)
    if isinstance(known, bytes):
        return known
    if not request.META.get("wsgi.input_terminated"):
        raise Problem(411, "length-required", "Send the body with a Content-Length header.")
    limit = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    body: bytes = request.META["wsgi.input"].read(limit + 1)
    if len(body) > limit:
        raise _too_big()
    request.chunked_body = body  # type: ignore[attr-defined]  # it can be read only once
    return body


def _too_big() -> Problem:
    megabytes = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) // 1024**2
    return Problem(
        413, "body-too-large", f"The body is larger than {megabytes} MB. Split it into several calls."
    )


def _escape(key: str) -> str:
    return key[:80].replace("~", "~0").replace("/", "~1")
