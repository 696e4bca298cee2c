import pytest

from integrations.models import Extension
from portal.tenancy.models import Tenant
from tests.configuration.files import ACME, ENVIRONMENT, KEY, PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(tmp_path, monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    def make(text=ACME, name="acme.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return make


def test_applied_then_nothing_to_change(run_command, write):
    file = write()
    first, second = run_command("apply_config", file), run_command("apply_config", file)
    assert (first.status, second.status) == (0, 0)
    assert "tenant acme: created" in first.out
    assert second.out == "acme: nothing to change\n"
    assert Extension.objects.get().secret.reveal() == KEY


def test_a_dry_run_writes_nothing(run_command, write):
    result = run_command("apply_config", write(), "--dry-run")
    assert (result.status, Tenant.objects.exists()) == (0, False)
    assert "tenant acme: created" in result.out
    assert result.out.endswith("Dry run: nothing was written.\n")


def test_problems_end_with_1_and_write_nothing(run_command, write, monkeypatch):
    monkeypatch.delenv("ACME_KLAVIYO_KEY")
    result = run_command("apply_config", write(ACME.replace("role: owner", "role: boss")))
    assert (result.status, Tenant.objects.exists(), result.out) == (1, False, "")
    assert "users[0].role: must be one of" in result.err
    assert "the environment variable ACME_KLAVIYO_KEY is not set" in result.err


def test_a_file_that_is_not_there_ends_with_2(run_command, tmp_path):
    result = run_command("apply_config", str(tmp_path / "none.yaml"))
    assert result.status == 2
    assert "No such file" in result.err


def test_two_files(run_command, write):
    second = "tenant: {slug: other}\n"
    result = run_command("apply_config", write(), write(second, "other.yaml"))
    assert result.status == 0
    assert "acme.yaml:" in result.out
    assert "other.yaml:" in result.out
    assert Tenant.objects.count() == 2


def test_a_problem_in_the_second_file_stops_the_first(run_command, write):
    result = run_command("apply_config", write(), write("tenant: {slug: other, nme: x}", "other.yaml"))
    assert (result.status, Tenant.objects.count()) == (1, 0)
    assert "other.yaml cannot be applied" in result.err


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_second_file_may_use_what_the_first_makes(run_command, write, dry):
    start = ACME.index("extensions:")
    head = "tenant: {slug: acme}\n"
    result = run_command("apply_config", write(ACME[:start]), write(head + ACME[start:], "second.yaml"), *dry)
    assert result.status == 0, result.err
    assert Extension.objects.count() == (0 if dry else 1)


def test_exported_and_applied_again(run_command, write, tmp_path):
    run_command("apply_config", write())
    exported = run_command("export_config", "acme")
    assert exported.status == 0
    assert KEY not in exported.out
    assert PASSWORD not in exported.out
    assert run_command("apply_config", write(exported.out, "again.yaml")).out == "acme: nothing to change\n"


def test_export_of_an_unknown_tenant_ends_with_2(run_command):
    assert run_command("export_config", "nowhere").status == 2
