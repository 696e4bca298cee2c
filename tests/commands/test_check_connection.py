import json

import pytest

from integrations.models import Extension

pytestmark = pytest.mark.django_db


def test_a_connection_that_works(run_command, extension):
    result = run_command("check_connection", "acme")
    assert (result.status, result.out) == (0, "Fake: works, account Fake account (ACCOUNT), practice\n")
    assert Extension.objects.get().checked_at is not None


def test_each_missing_permission_is_named(run_command, extension, fake):
    fake.remote.missing_scopes = ("lists:write", "events:write")
    result = run_command("check_connection", "acme")
    assert result.status == 1
    assert "  missing permission: lists:write\n  missing permission: events:write\n" in result.out


def test_json(run_command, extension, fake):
    fake.remote.keys = set()
    result = run_command("check_connection", "acme", "--json")
    (told,) = json.loads(result.out)["connections"]
    assert result.status == 1
    assert (told["extension"], told["ok"], told["reason"]) == ("Fake", False, "This key is not accepted.")


def test_an_unknown_tenant_ends_with_2(run_command, extension):
    assert run_command("check_connection", "nowhere").status == 2
    assert run_command("check_connection", "acme", "--extension", "Other").status == 2
