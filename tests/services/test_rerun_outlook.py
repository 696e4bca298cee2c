"""What a re-run would find is said before it is asked for."""

import pytest

from integrations.models import SentProfile, SyncRow
from integrations.services import rerun_outlook
from integrations.services.rerun_outlook import Outlook
from tests.factories import make_member
from tests.services.builders import people, run, touch
from tests.services.conftest import Connect

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(connect: Connect, remote):
    """M-0 to M-3 were refused, HELD has no address, the others arrived."""
    remote.refused_later = {f"m{number}@acme.test" for number in range(4)}
    extension = connect()
    people(extension.tenant, 120)
    make_member(extension.tenant, "HELD", email="")
    return run(extension)


def test_each_open_row_is_told_as_it_would_fare_now(ended):
    tenant = ended.extension.tenant
    changed, moved = tenant.members.get(external_id="M-0"), tenant.members.get(external_id="M-1")
    touch(changed, points_balance=7)
    SentProfile.objects.filter(member=moved).update(in_flight=1)
    settled = SentProfile.objects.get(member__external_id="M-2")
    SentProfile.objects.filter(pk=settled.pk).update(payload=settled.refused)
    found = rerun_outlook.of(ended)
    assert (found.differ, found.moving, found.arrived, found.refused) == (1, 1, 1, 1)
    assert found.held == (("no_identifier", 1),)
    assert (found.rows, found.covered) == (5, 121)
    assert found.sentence == (
        "5 rows: 1 now differs, 1 already arrived, 1 is still as it was refused, "
        "1 still has no e-mail or phone, 1 is on its way."
    )


def test_a_property_that_is_left_there_is_no_difference(connect: Connect):
    """As the plan of the re-run sees it: nothing would be written because of it."""
    extension = connect(fields={"points_balance": "Points", "first_name": "First"})
    (member,) = people(extension.tenant, 1, first_name="Ann")
    ended = run(extension)
    SyncRow.objects.create(run=ended, member=member, verdict="failed")
    extension.field_mappings.get(property="First").delete()
    assert rerun_outlook.of(ended).arrived == 1
    extension.retired_properties.create(property="First")
    assert rerun_outlook.of(ended).differ == 1


def test_too_many_are_counted_and_not_compared(ended, monkeypatch):
    monkeypatch.setattr(rerun_outlook, "LOOKED_AT_UP_TO", 4)
    found = rerun_outlook.of(ended)
    assert not found.is_counted and found.sentence == "5 rows."


def test_it_asks_as_many_queries_for_many_rows(ended, django_assert_max_num_queries):
    with django_assert_max_num_queries(11):
        rerun_outlook.of(ended)


def test_nothing_open_says_nothing():
    assert Outlook().sentence == ""
