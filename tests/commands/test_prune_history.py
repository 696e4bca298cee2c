import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import AlertMessage, Incident, SyncRow
from integrations.services import history
from tests.factories import make_member, make_tenant
from tests.pages.builders import make_extension, make_row, make_run


@pytest.mark.django_db
def test_it_tells_what_went(run_command):
    result = run_command("prune_history", "--json")
    assert result.status == 0
    assert json.loads(result.out)["runs"] == 0
    assert "runs: 0 deleted" in run_command("prune_history").out


def rows_of(tenant, verdict: str, ages: list[int]) -> None:
    run, member = make_run(make_extension(tenant)), make_member(tenant)
    for days in ages:
        row = make_row(run, member, verdict)
        SyncRow.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days, hours=1))


def ages_left(tenant) -> list[int]:
    rows = SyncRow.objects.filter(run__extension__tenant=tenant).order_by("-created_at")
    return [(timezone.now() - row.created_at).days for row in rows]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verdict", "field"), [("sent", "keep_sent_rows_days"), ("rejected", "keep_other_rows_days")]
)
def test_a_tenant_keeps_rows_for_as_long_as_it_says(settings, verdict, field):
    settings.KEEP_SENT_ROWS_DAYS = settings.KEEP_OTHER_ROWS_DAYS = 30
    usual, shorter, longer = (
        make_tenant(), make_tenant(**{field: 7}), make_tenant(**{field: 90}),
    )  # fmt: skip
    for tenant in (usual, shorter, longer):
        rows_of(tenant, verdict, [1, 10, 40, 100])
    gone = history.prune()
    assert ages_left(usual) == [1, 10]
    assert ages_left(shorter) == [1]
    assert ages_left(longer) == [1, 10, 40]
    assert gone["sent rows" if verdict == "sent" else "other rows"] == 6


@pytest.mark.django_db
def test_the_age_for_what_arrived_is_not_that_for_the_rest(settings):
    tenant = make_tenant(keep_sent_rows_days=7)
    rows_of(tenant, "rejected", [10])
    history.prune()
    assert ages_left(tenant) == [10]


@pytest.mark.django_db
def test_what_was_told_of_old_trouble_goes_with_the_addresses_that_it_went_to(settings):
    settings.KEEP_RUNS_DAYS = 30
    extension, old = make_extension(make_tenant()), timezone.now() - timedelta(days=31)
    over = Incident.objects.create(extension=extension, kind="run_failed", opened_at=old, closed_at=old)
    still = Incident.objects.create(extension=extension, kind="connection_lost", opened_at=old)
    for incident in (over, still):
        told = AlertMessage.objects.create(
            incident=incident, uid=uuid.uuid4(), channel="email", target="ex@acme.test", sent_at=old
        )
        AlertMessage.objects.filter(pk=told.pk).update(created_at=old)
    gone = history.prune()
    assert (gone["alerts"], gone["incidents"]) == (1, 1)
    assert Incident.objects.get() == still
