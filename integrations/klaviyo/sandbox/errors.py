"""Klaviyo's JSON:API error object, as an exception that an endpoint raises."""

from __future__ import annotations

import uuid
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """One refused call: a status and one or more error objects."""

    def __init__(self, status: int, errors: list[Json], headers: dict[str, str] | None = None) -> None:
        super().__init__(errors[0]["detail"])
        self.status = status
        self.errors = errors
        self.headers = headers or {}

    def body(self) -> Json:
        return {"errors": self.errors}


def error_object(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    pointer: str | None = None,
    parameter: str | None = None,
    meta: Json | None = None,
) -> Json:
    source: Json = {}
    if pointer is not None:
        source["pointer"] = pointer
    if parameter is not None:
        source["parameter"] = parameter
    return {
        "id": str(uuid.uuid4()),
        "status": status,
        "code": code,
        "title": title,
        "detail": detail,
        "source": source,
        "links": {},
        "meta": meta or {},
    }


def invalid_object(detail: str, pointer: str | None = None, parameter: str | None = None) -> Json:
    return error_object(400, "invalid", "Invalid input.", detail, pointer=pointer, parameter=parameter)


def invalid(detail: str, pointer: str | None = None, parameter: str | None = None) -> ApiError:
    return ApiError(400, [invalid_object(detail, pointer, parameter)])


def missing_object(field: str, pointer: str) -> Json:
    return error_object(
        400, "required", "Missing required field.", f"'{field}' is a required field.", pointer=pointer
    )


def not_found(kind: str, identifier: str) -> ApiError:
    detail = f"A {kind} with id {identifier} does not exist."
    return ApiError(404, [error_object(404, "not_found", "Not found.", detail, pointer="/data/")])


def duplicate_profile(other_id: str) -> ApiError:
    """409 as recorded from live accounts: the other person's id is in `meta`."""
    return ApiError(
        409,
        [
            error_object(
                409,
                "duplicate_profile",
                "Conflict.",
                DUPLICATE_DETAIL,
                pointer="/data/attributes",
                meta={"duplicate_profile_id": other_id},
            )
        ],
    )


DUPLICATE_DETAIL = "A profile already exists with one of these identifiers."


def too_large(detail: str) -> ApiError:
    return ApiError(
        413, [error_object(413, "payload_too_large", "Payload too large.", detail, pointer="/data")]
    )


def simple(status: int, code: str, title: str, detail: str, **headers: str) -> ApiError:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiError(status, [error_object(status, code, title, detail, pointer="/data/")], names)


def throttled(seconds: int) -> ApiError:
    unit = "second" if seconds == 1 else "seconds"
    detail = f"Request was throttled. Expected available in {seconds} {unit}."
    error = error_object(429, "throttled", "Request was throttled.", detail, pointer="/data")
    return ApiError(429, [error], {"Retry-After": str(seconds)})
