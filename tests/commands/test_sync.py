from types import SimpleNamespace

import pytest
from django.db.models.functions import Now

from integrations.errors import AuthenticationError, RowsRejected, Temporary
from integrations.gateway import registry
from integrations.models import AudienceMapping, Extension, Health, RunStatus, SyncRun
from integrations.services import connections, following
from loyalty.models import Audience
from portal.runtime.models import Worker
from tests.commands.conftest import make_extension, runs_of
from tests.factories import make_member, make_tenant
from tests.fakes import FakeDestination

pytestmark = pytest.mark.django_db


def test_without_waiting_the_queued_run_is_told(run_command, extension):
    result = run_command("sync", "acme", "--json")
    (run,) = runs_of(result)
    assert result.status == 0
    assert run == {
        "id": SyncRun.objects.get().pk,
        "kind": "changes",
        "status": "queued",
        "counts": {"accepted": 0, "sent": 0, "unchanged": 0, "rejected": 0, "failed": 0, "held": 0},
        "calls": 0,
        "seconds": None,
    }


def test_waiting_ends_when_all_has_arrived(run_command, extension, fake, tenant, worker):
    make_member(tenant, "C-1", points_balance=5)
    result = run_command("sync", "acme", "--kind", "full", "--wait", "--json")
    (run,) = runs_of(result)
    assert (result.status, run["status"], run["counts"]["sent"]) == (0, "succeeded", 1)
    assert run["calls"] >= 1
    assert run["seconds"] >= 0
    assert fake.remote.document("C-1")["Points"] == 5
    assert f"run #{run['id']}" in result.err


def test_words_for_people(run_command, extension, tenant, worker):
    make_member(tenant)
    result = run_command("sync", "acme", "--kind", "full", "--wait")
    assert result.status == 0
    assert result.out.strip().endswith("(Everything, Fake) succeeded: The one change arrived.")


def test_refused_rows_end_with_1(run_command, extension, fake, tenant, worker):
    make_member(tenant, "C-1", email="c-1@example.com")
    make_member(tenant, "C-2", email="c-2@example.com")
    fake.remote.checks["write_profile"] = lambda write: (
        RowsRejected("Refused.") if write.values["external_id"] == "C-2" else None
    )
    result = run_command("sync", "acme", "--kind", "full", "--wait", "--json")
    (run,) = runs_of(result)
    assert (result.status, run["status"]) == (1, "partly_failed")
    assert (run["counts"]["sent"], run["counts"]["rejected"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere",), "There is no tenant “nowhere”. Known tenants: acme."),
        (("acme", "--extension", "Other"), "acme has no connection “Other”. Known connections: Fake."),
        (("acme", "--kind", "pull"), "Reading back (pull) is not part of this version."),
    ],
)
def test_wrong_use_ends_with_2(run_command, extension, words, told):
    result = run_command("sync", *words)
    assert result.status == 2
    assert told in result.err
    assert result.out == ""


def test_a_connection_that_is_off_is_no_usage_error(run_command, tenant, fake):
    make_extension(tenant, active=False)
    result = run_command("sync", "acme", "--extension", "Fake")
    assert result.status == 1
    assert "is switched off" in result.err
    result = run_command("sync", "acme")
    assert result.status == 1
    assert "No connection of acme is switched on." in result.err


def test_a_wrong_key_is_told_before_the_start(run_command, extension, fake):
    fake.remote.keys = {"another"}
    result = run_command("sync", "acme", "--wait", "--json")
    assert result.status == 1
    assert "This key is not accepted." in result.err
    assert runs_of(result) == []
    assert not SyncRun.objects.exists()


def test_a_missing_permission_is_named_before_the_start(run_command, extension, fake):
    fake.remote.missing_scopes = ("lists:write",)
    result = run_command("sync", "acme", "--wait")
    assert result.status == 1
    assert "lists:write" in result.err
    assert not SyncRun.objects.exists()


def test_a_check_that_fails_for_a_moment_stops_nothing(run_command, extension, fake, worker):
    fake.remote.fail("check", Temporary("Try later."))
    result = run_command("sync", "acme", "--wait")
    assert result.status == 0
    assert "Try later." in result.err


def test_a_run_without_a_call_proves_nothing_while_nobody_answers(run_command, extension, fake, worker):
    fake.remote.checks["check"] = lambda *_: Temporary("No answer.")
    result = run_command("sync", "acme", "--kind", "full", "--wait", "--json")
    assert result.status == 1
    assert "Fake could not be reached, so nothing is proven" in result.err
    assert runs_of(result)[0]["calls"] == 0


def test_a_full_run_makes_lists_for_which_nobody_is_there_yet(run_command, extension, fake, tenant, worker):
    audience = Audience.objects.create(tenant=tenant, slug="press", name="Press", is_static=True)
    AudienceMapping.objects.create(extension=extension, audience=audience, list_name="Press")
    assert run_command("sync", "acme", "--kind", "full", "--wait").status == 0
    assert list(fake.remote.lists.values()) == ["Press"]


def test_an_unknown_kind_is_one_sentence(run_command, extension):
    result = run_command("sync", "acme", "--kind", "fulll")
    assert result.status == 2
    assert result.err == (
        "CommandError: There is no kind of run “fulll”. Choose full, changes, audiences or events."
    )


def test_a_connection_that_works_is_not_checked_again(run_command, extension, fake, worker):
    connections.check(extension)
    run_command("sync", "acme", "--wait")
    assert fake.remote.count("check") == 1


def test_waiting_ends_when_a_person_must_act(run_command, extension, fake, tenant, worker):
    connections.check(extension)
    make_member(tenant)
    fake.remote.fail("write_profile", AuthenticationError("The key was revoked."))
    result = run_command("sync", "acme", "--kind", "full", "--wait", "--json")
    assert result.status == 1
    assert "Fake needs attention: The key was revoked." in result.err
    assert runs_of(result)[0]["status"] in ("running", "waiting")
    assert Extension.objects.get().health == Health.ATTENTION


def test_nobody_at_work_is_said_after_30_seconds(run_command, extension, nobody):
    result = run_command("sync", "acme", "--wait", "--timeout", "45")
    assert result.status == 1
    assert "no worker is alive" in result.err
    assert "is not over after 45 s" in result.err


def test_a_supervisor_alone_is_no_worker(run_command, extension, nobody):
    Worker(role="supervisor", host="h", pid=1, beat_at=Now()).save()
    assert "no worker is alive" in run_command("sync", "acme", "--wait", "--timeout", "45").err
    Worker(role="bulk", host="h", pid=2, beat_at=Now()).save()
    assert "no worker is alive" not in run_command("sync", "acme", "--wait", "--timeout", "45").err


def test_every_active_connection_has_a_run_of_its_own(run_command, tenant, fake, monkeypatch, worker):
    other = FakeDestination()
    other.key = "other"
    monkeypatch.setattr(registry, "destinations", lambda: {"fake": fake, "other": other})
    make_extension(tenant)
    second = connections.create(tenant, destination="other", name="Other")
    connections.store_key(second, "key")
    connections.set_active(second, True)
    make_extension(make_tenant("else"), active=False)
    result = run_command("sync", "acme", "--kind", "audiences", "--wait", "--json")
    assert [run["status"] for run in runs_of(result)] == ["succeeded", "succeeded"]
    assert result.status == 0


def test_a_second_start_joins_the_queued_run(run_command, extension):
    first, second = (runs_of(run_command("sync", "acme", "--json"))[0]["id"] for _ in range(2))
    assert first == second


def test_a_cancelled_run_ends_with_1(run_command, extension, monkeypatch):
    def cancel(seconds):
        SyncRun.objects.update(status=RunStatus.CANCELLED)

    monkeypatch.setattr(following, "time", SimpleNamespace(sleep=cancel, monotonic=lambda: 0.0))
    assert run_command("sync", "acme", "--wait").status == 1
