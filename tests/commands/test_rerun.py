import pytest

from integrations.errors import RowsRejected
from integrations.models import SyncRun
from tests.commands.conftest import runs_of
from tests.factories import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken(run_command, extension, fake, tenant, worker):
    """A run whose only row was refused."""
    make_member(tenant, "C-1")
    fake.remote.checks["write_profile"] = lambda write: RowsRejected("Refused.")
    assert run_command("sync", "acme", "--kind", "full", "--wait").status == 1
    del fake.remote.checks["write_profile"]
    return SyncRun.objects.get()


def test_only_what_failed_is_run_again(run_command, broken, fake):
    result = run_command("rerun", str(broken.pk), "--failed-only", "--wait", "--json")
    (run,) = runs_of(result)
    assert (result.status, run["status"], run["counts"]["sent"]) == (0, "succeeded", 1)
    again = SyncRun.objects.get(pk=run["id"])
    assert (again.parent_id, again.only_failed) == (broken.pk, True)
    assert fake.remote.document("C-1")


def test_nothing_left_to_run_again_is_well(run_command, broken):
    run_command("rerun", str(broken.pk), "--failed-only", "--wait")
    result = run_command("rerun", str(broken.pk), "--failed-only", "--json")
    assert (result.status, runs_of(result)) == (0, [])
    assert "Nothing to do" in result.err


def test_a_run_that_is_not_over_is_refused(run_command, extension):
    run = runs_of(run_command("sync", "acme", "--json"))[0]
    result = run_command("rerun", str(run["id"]))
    assert result.status == 1
    assert "is not over yet" in result.err


@pytest.mark.parametrize("run_id", ["0", "-5", "99999999999999999999999"])
def test_an_unknown_run_ends_with_2(run_command, db, run_id):
    assert run_command("rerun", "--", run_id).status == 2
