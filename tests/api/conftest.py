"""A tenant with a token, and a client that speaks JSON."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from portal.tenancy import tokens
from portal.tenancy.models import Tenant
from tests.factories import make_tenant

Call = Callable[..., HttpResponse]


def caller(tenant: Tenant) -> Call:
    """Calls with a token of this tenant; a body that is not bytes is sent as JSON."""
    _, text = tokens.issue(tenant, "test")
    client = Client(headers={"Authorization": f"Bearer {text}"}, raise_request_exception=False)

    def call(
        method: str, path: str, body: Any = b"", *, content_type: str = "application/json", **headers: str
    ):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.generic(method, "/api/v1" + path, sent, content_type=content_type, headers=named)

    return call


@pytest.fixture
def tenant(db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def call(tenant: Tenant) -> Call:
    return caller(tenant)


def problem_of(response: HttpResponse, status: int) -> dict[str, Any]:
    """The problem document of an answer that must have this status."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["status"] == status
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
    return problem
