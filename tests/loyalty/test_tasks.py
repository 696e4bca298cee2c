from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from loyalty import tasks
from loyalty.models import Member
from loyalty.rules.ledger_entries import EntryInput
from loyalty.schedules import SCHEDULES
from loyalty.services import ledger
from portal.tenancy.models import Tenant
from tests.factories import make_audience, make_member, make_tenant, make_tier


@pytest.fixture
def queued(monkeypatch):
    told = []
    monkeypatch.setattr(tasks, "enqueue", lambda dotted, *args, lane: told.append((dotted, *args)))
    return told


def test_tenants_with_expired_points_are_queued_once(tenant, queued):
    make_tenant()
    make_member(tenant, "1")
    past = timezone.now() - timedelta(days=1)
    ledger.post(
        tenant,
        [EntryInput("1", 5, "x", key, occurred_at=past, expires_at=past + timedelta(1 / 24)) for key in "ab"],
    )
    assert tasks.expire_points() == "1 tenants"
    assert queued == [("loyalty.tasks.expire_tenant_points", tenant.pk)]
    assert tasks.expire_tenant_points(tenant.pk) == "2 lots"
    assert Member.objects.get().points_balance == 0


def test_a_tenants_day_begins_after_its_own_midnight(db, queued):
    london, tokyo = make_tenant(timezone="Europe/London"), make_tenant(timezone="Asia/Tokyo")
    Tenant.objects.update(day_begun_on=date(2026, 7, 1))
    with time_machine.travel(datetime(2026, 7, 1, 15, 5, tzinfo=UTC), tick=False):
        tasks.begin_days()
    with time_machine.travel(datetime(2026, 7, 1, 23, 5, tzinfo=UTC), tick=False):
        tasks.begin_tenant_day(tokyo.pk)
        tasks.begin_days()
    assert [args[1] for args in queued] == [tokyo.pk, london.pk]


def test_a_day_whose_first_hour_was_missed_is_begun_late_and_once(tenant, queued):
    Tenant.objects.update(day_begun_on=date(2026, 6, 30))
    with time_machine.travel(datetime(2026, 7, 1, 9, 5, tzinfo=UTC), tick=False):
        assert tasks.begin_days() == tasks.begin_days() == "1 tenants"  # until the work is done
        tasks.begin_tenant_day(tenant.pk)
        assert tasks.begin_days() == "0 tenants"


def test_audiences_by_date_follow_the_calendar(tenant):
    member = make_member(tenant, birth_month=3, birth_day=2)
    audience = make_audience(tenant, rule={"field": "birthday", "op": "within_next_days", "value": 1})
    with time_machine.travel(datetime(2026, 3, 1, 0, 5, tzinfo=UTC), tick=False):
        assert tasks.begin_tenant_day(tenant.pk) == "0 moved; 1 joined, 0 left"
    with time_machine.travel(datetime(2026, 3, 3, 0, 5, tzinfo=UTC), tick=False):
        assert tasks.begin_tenant_day(tenant.pk) == "0 moved; 0 joined, 1 left"
    assert audience.memberships.get().member == member


def test_a_tenant_that_is_gone_is_a_quiet_return(db):
    assert tasks.begin_tenant_day(0) == "gone; gone"
    assert tasks.expire_tenant_points(0) == "gone"


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_schedules_name_tasks_that_exist(schedule):
    assert callable(getattr(tasks, schedule.func.rpartition(".")[2]))


def test_work_that_takes_too_long_goes_on_in_another_task(tenant, queued, monkeypatch):
    monkeypatch.setattr(tasks, "BUDGET_SECONDS", -1)
    make_tier(tenant, "base", 0)
    make_member(tenant)
    make_audience(tenant, rule={"field": "state", "op": "is_set"})
    assert tasks.begin_tenant_day(tenant.pk) == "0 moved; 0 joined, 0 left"
    assert [name for name, _ in queued] == ["loyalty.tasks.move_tiers", "loyalty.tasks.refresh_audiences"]
