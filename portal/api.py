"""The ingestion API under /api/v1: what it is made of, and how it says that something is wrong."""

import logging
import secrets
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Swagger
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from portal.rest import documented, problems
from portal.rest.bearer import ApiTokenBearer
from portal.rest.problems import Problem, fault
from portal.rest.repeatable import repeatable

logger = logging.getLogger(__name__)

DESCRIPTION = """
Members, points and audiences of a loyalty programme, in batches.

* **Token**: `Authorization: Bearer lp_…`, made with `manage.py issue_api_token TENANT NAME` or on the
  portal's pages. It belongs to one tenant; nothing of another tenant can be seen or named.
* **Batches** are answered item by item: a bad item is refused with its reasons, the others go in.
* **Repeats**: send an `Idempotency-Key` with every POST, and repeat the call until it is answered.
* **Errors** are `application/problem+json` (RFC 9457).
* **Limits**: 5 MB a body, 1,000 items a call (10,000 ids for audiences), UTF-8 JSON.
"""


class PortalAPI(NinjaAPI):
    """Adds what ninja leaves out: the components of bodies it does not parse, and problems everywhere."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"] |= documented.components
        return schema

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        urls = super()._get_urls()
        for pattern in urls:
            if isinstance(pattern, URLPattern):
                pattern.callback = _with_problems(pattern.callback)
        return urls


api = PortalAPI(
    title="Loyalty portal",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    auth=ApiTokenBearer(),
    docs=Swagger(settings={"validatorUrl": None, "persistAuthorization": False, "tryItOutEnabled": True}),
)
# Stands outside the views, inside the token check: a key belongs to a tenant.
api.add_decorator(repeatable, mode="operation")
api.add_router("", "loyalty.api.members.router")
api.add_router("", "loyalty.api.points.router")
api.add_router("", "loyalty.api.audiences.router")
api.add_router("", "integrations.api.runs.router")


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    """The answer under /api/v1/ where nothing is."""
    return problems.respond(
        request, problems.not_found("There is nothing at this address. See /api/v1/docs.")
    )


def _with_problems(view: Any) -> Any:
    """Ninja answers a method that it does not know, and the root, past its exception handlers."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = view(request, *args, **kwargs)
        except Http404:
            return unknown_address(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        sentence = f"{request.method} is not answered here; use {response['Allow']}."
        return problems.respond(
            request, Problem(405, "method-not-allowed", sentence, headers={"Allow": response["Allow"]})
        )

    return csrf_exempt(guarded)


@api.exception_handler(Problem)
def _on_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problems.respond(request, problem)


@api.exception_handler(ValidationError)
def _on_validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        fault("/" + "/".join(str(part) for part in found["loc"]), found["msg"]) for found in error.errors
    ]
    sentence = "The address or its parameters cannot be taken."
    return problems.respond(request, Problem(422, "invalid-parameters", sentence, errors=faults))


@api.exception_handler(Http404)
def _on_not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problems.respond(
        request, problems.not_found("There is nothing at this address. See /api/v1/docs.")
    )


@api.exception_handler(HttpError)
def _on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problems.respond(request, Problem(error.status_code, "refused", str(error)))


@api.exception_handler(RequestDataTooBig)
@api.exception_handler(BadRequest)
def _on_bad_request(request: HttpRequest, error: Exception) -> HttpResponse:
    return problems.respond(request, Problem(400, "unreadable-request", "The request cannot be read."))


@api.exception_handler(OperationalError)
def _on_database_trouble(request: HttpRequest, error: OperationalError) -> HttpResponse:
    """Deadlocks, time-outs, a restart of the database: rolled back, so the same call may come again."""
    logger.warning("API call met trouble in the database: %s", error, extra={"path": request.path})
    sentence = "The database could not finish this. Nothing was changed; send it again."
    return problems.respond(request, Problem(503, "try-again", sentence, headers={"Retry-After": "2"}))


@api.exception_handler(Exception)
def _on_anything_else(request: HttpRequest, error: Exception) -> HttpResponse:
    reference = secrets.token_hex(6)
    logger.error("API call failed, reference %s", reference, exc_info=error, extra={"path": request.path})
    sentence = f"Something went wrong on our side. Tell support the reference {reference}."
    return problems.respond(request, Problem(500, "internal-error", sentence), reference=reference)
