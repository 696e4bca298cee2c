"""The API's document is valid, complete, and says what the parsers do."""

import json

import pytest
from django.test import Client

from loyalty.api.schemas_members import EXAMPLE, MemberItem
from loyalty.api.schemas_points import EXAMPLE as ENTRY_EXAMPLE
from loyalty.api.schemas_points import PointsItem
from loyalty.rules import ledger_entries, member_input

pytestmark = pytest.mark.django_db


@pytest.fixture
def document():
    response = Client().get("/api/v1/openapi.json")
    assert response.status_code == 200
    return json.loads(response.content)


def test_every_call_is_described_with_its_problems(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert operation["description"], path
            assert "401" in operation["responses"], path
            assert operation["security"], path
            if method in ("post", "put"):
                assert operation["requestBody"]["required"], path
                assert {"400", "413", "422"} <= operation["responses"].keys(), path


def test_the_contract_is_all_there(document):
    calls = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert calls >= {
        "POST /api/v1/members/batch",
        "GET /api/v1/members/{external_id}",
        "PUT /api/v1/members/{external_id}",
        "DELETE /api/v1/members/{external_id}",
        "POST /api/v1/points/batch",
        "POST /api/v1/audiences/{slug}/members",
        "GET /api/v1/runs",
        "POST /api/v1/runs",
        "GET /api/v1/runs/{run_id}",
        "POST /api/v1/runs/{run_id}/rerun",
        "POST /api/v1/runs/{run_id}/cancel",
    }


def test_schemas_name_the_fields_that_the_parsers_know():
    assert MemberItem.model_fields.keys() == member_input.FIELDS
    assert PointsItem.model_fields.keys() == ledger_entries.FIELDS


def test_the_examples_are_taken_without_a_word():
    member, errors, warnings = member_input.parse(EXAMPLE)
    assert member and not errors and not warnings
    entry, errors = ledger_entries.parse(ENTRY_EXAMPLE)
    assert entry and not errors


def test_the_docs_page_asks_nothing_of_other_hosts():
    page = Client().get("/api/v1/docs").content.decode()
    assert "cdn" not in page and "http" not in page.replace("/static/", "")
    assert "swagger-ui-bundle" in page
