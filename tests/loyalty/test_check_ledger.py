import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from loyalty.models import LotUse, Member, PointsEntry, PointsLot
from loyalty.rules.ledger_entries import EntryInput
from loyalty.services import ledger
from loyalty.services.ledger_proof import CHECKS, prove
from tests.factories import make_member, make_tenant


@pytest.fixture
def busy(tenant):
    soon = timezone.now() + timedelta(days=1)
    for name in ("1", "2", "3"):
        make_member(tenant, name)
    ledger.post(
        tenant,
        [
            EntryInput("1", 100, "x", "a", expires_at=soon),
            EntryInput("1", 50, "x", "b"),
            EntryInput("1", -120, "x", "c"),
            EntryInput("2", 10, "x", "d", expires_at=soon),
            EntryInput("2", 5, "x", "e", kind="adjust"),
        ],
    )
    ledger.expire_due(tenant, soon)
    return tenant


def test_what_the_services_wrote_holds(busy, capsys):
    call_command("check_ledger", busy.slug)
    assert "holds for 3 members" in capsys.readouterr().out


BREAKS = {
    "balance is the sum of all entries": lambda: Member.objects.filter(external_id="1").update(
        points_balance=31
    ),
    "lifetime is the sum of what was earned": lambda: Member.objects.filter(external_id="1").update(
        points_lifetime=1
    ),
    "each entry has the balance after it": lambda: PointsEntry.objects.filter(idempotency_key="b").update(
        balance_after=1
    ),
    "balance is what the lots hold": lambda: PointsLot.objects.filter(remaining=30).update(remaining=29),
    "each lot holds what was not used of it": lambda: LotUse.objects.filter(points=20).update(points=21),
    "each entry has its lot or its uses": lambda: LotUse.objects.filter(points=20).delete(),
    "the next expiry is that of the lots": lambda: Member.objects.filter(external_id="1").update(
        points_expiring_next=9
    ),
}


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_finds_its_break(busy, check):
    BREAKS[check]()
    proof = prove(busy)
    assert not proof.holds
    assert proof.counts[check] == 1
    assert "1" in {broken.external_id for broken in proof.broken if broken.check == check}


def test_a_broken_ledger_is_an_exit_status_and_names_the_member(busy, capsys):
    Member.objects.filter(external_id="1").update(points_balance=31)
    with pytest.raises(SystemExit, match="1"):
        call_command("check_ledger")
    assert "  1: 31 is kept, 30 proven" in capsys.readouterr().out


def test_json_is_one_object(busy, capsys):
    make_tenant("empty")
    call_command("check_ledger", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["holds"] is True
    assert told["tenants"]["empty"]["members"] == 0


def test_an_unknown_tenant_is_a_usage_error(busy):
    with pytest.raises(CommandError, match="Known tenants: "):
        call_command("check_ledger", "nobody")
