"""What OpenAPI is told of a call: its body, its problems, its repeat key.

Bodies are not parsed by these schemas: the pure parsers decide, item by item, and are many times
faster. The schemas say the same to whoever programs against the API; tests hold the two together.
"""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from portal.rest.problems import CONTENT_TYPE
from portal.rest.repeatable import HEADER, MAX_LENGTH

_REFERENCE = "#/components/schemas/{model}"
_EVERYWHERE = (401, 500, 503)
_BODY_PROBLEMS = (400, 411, 413, 415, 422)
# Schemas of request bodies by name; the API object puts them among the document's components.
components: dict[str, Any] = {}


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    pointer: str
    detail: str


class ProblemDocument(BaseModel):
    """An error as application/problem+json (RFC 9457). `type` ends with a code that never changes."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] = []
    reference: str | None = None


def call(
    *, body: type[BaseModel] | None = None, problems: tuple[int, ...] = (), repeatable: bool = False
) -> dict[str, Any]:
    """The `openapi_extra` of a call."""
    known = {*_EVERYWHERE, *problems, *(_BODY_PROBLEMS if body else ()), *((409,) if repeatable else ())}
    extra: dict[str, Any] = {"responses": {status: _problem(status) for status in sorted(known)}}
    if body is not None:
        content = {"application/json": {"schema": reference(body)}}
        extra["requestBody"] = {"required": True, "content": content}
    if repeatable:
        extra["parameters"] = [_repeat_key()]
    return extra


def reference(model: type[BaseModel]) -> dict[str, str]:
    """A reference to the model's schema, which is put among the components."""
    schema = model.model_json_schema(ref_template=_REFERENCE)
    components.update(schema.pop("$defs", {}))
    components[model.__name__] = schema
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {CONTENT_TYPE: {"schema": reference(ProblemDocument)}},
    }


def _repeat_key() -> dict[str, Any]:
    return {
        "in": "header",
        "name": HEADER,
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
        "description": (
            "Makes the call safe to repeat for 24 hours: the same key with the same body is answered with "
            "the first answer and has no second effect (`Idempotency-Replayed: true`); with another body "
            "it is refused (422); while the first call is running, 409 with Retry-After."
        ),
    }
