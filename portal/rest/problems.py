"""Errors as application/problem+json (RFC 9457): one exception, one rendering."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TypedDict

from django.http import HttpRequest, HttpResponse

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:loyalty-portal:problem:"


class Fault(TypedDict):
    """One thing that is wrong with a request: where (a JSON pointer into the body, or empty) and what."""

    pointer: str
    detail: str


class Problem(Exception):
    """Raised by an API view to end the call with this answer.

    `code` names the kind of problem for programs and is the end of its `type`; it never changes.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def fault(pointer: str, detail: str) -> Fault:
    return {"pointer": pointer, "detail": detail}


def respond(request: HttpRequest, problem: Problem, **extension: str) -> HttpResponse:
    """The answer for a problem; `extension` adds members of its own to the document."""
    document: dict[str, object] = {
        "type": TYPE_PREFIX + problem.code,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
        **extension,
    }
    if problem.errors:
        document["errors"] = problem.errors
    return HttpResponse(
        json.dumps(document), status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers
    )


def not_found(what: str) -> Problem:
    return Problem(404, "not-found", what)
