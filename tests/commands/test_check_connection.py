import json
import logging

import pytest
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from integrations import tasks
from integrations.errors import Temporary
from integrations.models import Extension, Health, SyncRun
from integrations.services import clock, connections
from tests.commands.conftest import make_extension

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


def queued_checks():
    queued = [SignedPackage.loads(one.payload) for one in OrmQ.objects.all()]
    return [task["args"] for task in queued if task["func"] == "integrations.tasks.check_connection"]


def test_a_new_key_is_checked_by_a_worker(tenant, fake):
    extension = make_extension(tenant, active=False)
    assert queued_checks() == []
    connections.set_active(extension, True)
    assert queued_checks() == [(extension.pk,)]
    tasks.check_connection(extension.pk)
    found = Extension.objects.get()
    assert (found.health, found.account_id) == (Health.OK, "ACCOUNT")
    connections.set_active(found, False)
    connections.set_active(found, True)
    assert len(queued_checks()) == 1
    connections.store_key(found, "another")
    assert len(queued_checks()) == 2


def test_a_first_check_that_failed_is_made_again(extension, fake):
    fake.remote.fail("check", Temporary("Try later."))
    tasks.check_connection(extension.pk)
    found = Extension.objects.get()
    assert found.health == Health.UNCHECKED
    assert found.checked_at is not None
    tasks.check_unproven()
    tasks.check_unproven()
    assert Extension.objects.get().health == Health.OK
    assert fake.remote.count("check") == 2


def test_switching_on_looks_at_everybody_and_says_why(extension, fake):
    connections.check(extension)
    connections.set_active(extension, False)
    connections.set_active(extension, True)
    clock.tick()
    run = SyncRun.objects.get()
    assert (run.kind, run.reason) == ("full", "Switched on")
    assert Extension.objects.get().full_due_reason == ""


def test_a_connection_that_works_is_told_without_alarm(extension, fake, caplog):
    caplog.set_level(logging.INFO, logger="integrations")
    connections.check(extension)
    assert [(one.levelname, one.message) for one in caplog.records] == [
        ("INFO", f"connection {extension.pk} works")
    ]
