"""Calls made up from the API's own document: answered as the document says, never with a fault of ours."""

import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from portal.tenancy import tokens
from portal.wsgi import application
from tests.factories import make_audience, make_member

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    ("/members/batch", "POST"),
    ("/members/{external_id}", "GET"),
    ("/members/{external_id}", "PUT"),
    ("/members/{external_id}", "DELETE"),
    ("/points/batch", "POST"),
    ("/audiences/{slug}/members", "POST"),
    ("/runs", "GET"),
    ("/runs", "POST"),
    ("/runs/{run_id}", "GET"),
    ("/runs/{run_id}/rerun", "POST"),
    ("/runs/{run_id}/cancel", "POST"),
]


@pytest.fixture
def schema(db):
    """The document, and a server that keeps the connection of the test's transaction."""
    moments = (signals.request_started, signals.request_finished)
    for moment in moments:
        moment.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    for moment in moments:
        moment.connect(close_old_connections)


def test_the_document_is_valid_openapi(schema):
    schema.validate()


def test_no_call_is_left_out(schema):
    described = {(path, method.upper()) for path, methods in schema.items() for method in methods}
    assert described == {(f"/api/v1{path}", method) for path, method in OPERATIONS}


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_api_does_what_its_document_says(schema, tenant, path, method):
    make_member(tenant, "a")
    make_audience(tenant, "press")
    _, text = tokens.issue(tenant, "made up")

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=schema[f"/api/v1{path}"][method].as_strategy())
    def answered_as_described(case):
        case.call_and_validate(headers={"Authorization": f"Bearer {text}"}, checks=CHECKS)

    answered_as_described()
