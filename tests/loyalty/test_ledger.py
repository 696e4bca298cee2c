from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from loyalty.models import DirtyMember, LotUse, OutboxEvent, PointsEntry, PointsLot, TierChange
from loyalty.rules.ledger_entries import EntryInput
from loyalty.services import ledger
from tests.factories import make_audience, make_member, make_tenant, make_tier

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def entry(external_id="1", points=100, key="", **more):
    return EntryInput(external_id, points, more.pop("reason", "Order"), key or f"k{points}", **more)


@pytest.fixture
def member(tenant):
    return make_member(tenant, "1")


def test_earning_fills_a_lot_and_the_balance(tenant, member):
    result = ledger.post(tenant, [entry(points=120)])[0]
    member.refresh_from_db()
    assert (result.status, result.balance) == ("created", 120)
    assert (member.points_balance, member.points_lifetime) == (120, 120)
    assert PointsLot.objects.get().remaining == 120
    assert member.last_activity_at is not None


def test_a_repeat_answers_the_balance_of_then(tenant, member):
    first = ledger.post(tenant, [entry(points=10, key="a")])[0]
    ledger.post(tenant, [entry(points=5, key="b")])
    again = ledger.post(tenant, [entry(points=10, key="a")])[0]
    assert (again.status, again.balance, again.entry_id) == ("repeated", 10, first.entry_id)
    assert PointsEntry.objects.count() == 2


def test_a_key_with_other_content_is_refused(tenant, member):
    ledger.post(tenant, [entry(points=10, key="a")])
    result = ledger.post(tenant, [entry(points=11, key="a")])[0]
    assert result.status == "refused"
    assert "idempotency_key" in result.errors[0]


def test_a_key_twice_in_one_call_counts_once(tenant, member):
    results = ledger.post(tenant, [entry(points=10, key="a"), entry(points=10, key="a")])
    assert [r.status for r in results] == ["created", "repeated"]
    assert results[1].entry_id == results[0].entry_id


def test_a_refused_entry_does_not_stop_the_others(tenant, member):
    results = ledger.post(
        tenant,
        [entry(points=50), entry(points=-80, key="x"), entry("nobody", 5, "y"), entry(points=-20, key="z")],
    )
    assert [r.status for r in results] == ["created", "refused", "refused", "created"]
    assert results[3].balance == 30
    assert "80 cannot be taken" in results[1].errors[0]


def test_what_expires_soonest_is_used_first(tenant, member):
    soon, late = timezone.now() + timedelta(days=2), timezone.now() + timedelta(days=20)
    ledger.post(
        tenant,
        [entry(points=10, key="never"), entry(points=20, key="late", expires_at=late),
         entry(points=30, key="soon", expires_at=soon), entry(points=-35, key="spend")],
    )  # fmt: skip
    left = dict(PointsLot.objects.values_list("entry__idempotency_key", "remaining"))
    assert left == {"never": 10, "late": 15, "soon": 0}
    assert sorted(LotUse.objects.values_list("points", flat=True)) == [5, 30]
    member.refresh_from_db()
    assert (member.points_expiring_next, member.points_expire_at) == (15, late)


def test_a_redemption_in_a_later_call_reaches_over_lots(tenant, member):
    ledger.post(tenant, [entry(points=1, key=f"k{n}") for n in range(5)])
    ledger.post(tenant, [entry(points=-4, key="spend")])
    assert list(PointsLot.objects.order_by("id").values_list("remaining", flat=True)) == [0, 0, 0, 0, 1]


def test_points_that_expire_on_one_day_are_one_figure(tenant, member):
    day = timezone.now().replace(hour=3) + timedelta(days=5)
    ledger.post(
        tenant,
        [entry(points=10, key="a", expires_at=day), entry(points=5, key="b", expires_at=day.replace(hour=9)),
         entry(points=7, key="c", expires_at=day + timedelta(days=1))],
    )  # fmt: skip
    member.refresh_from_db()
    assert (member.points_expiring_next, member.points_expire_at) == (15, day)


def test_expired_points_leave_the_balance_once(tenant, member):
    soon = timezone.now() + timedelta(days=1)
    ledger.post(tenant, [entry(points=10, key="a", expires_at=soon), entry(points=5, key="b")])
    later = soon + timedelta(hours=1)
    assert ledger.expire_due(tenant, later) == 1
    assert ledger.expire_due(tenant, later) == 0
    member.refresh_from_db()
    assert (member.points_balance, member.points_lifetime, member.points_expire_at) == (5, 15, None)
    expired = PointsEntry.objects.get(kind="expire")
    assert (expired.points, expired.balance_after, expired.occurred_at) == (-10, 5, soon)


def test_expired_points_cannot_be_spent_before_the_schedule_ran(tenant, member):
    past = timezone.now() - timedelta(hours=1)
    ledger.post(tenant, [entry(points=10, key="a", occurred_at=past - timedelta(days=1), expires_at=past)])
    result = ledger.post(tenant, [entry(points=-10, key="b")])[0]
    assert result.status == "refused"
    assert PointsEntry.objects.filter(kind="expire").count() == 1


def test_one_event_for_each_entry_with_the_balance_after_it(tenant, member):
    ledger.post(tenant, [entry(points=10, key="a", order_ref="1001"), entry(points=-4, key="b")])
    ledger.adjust(member, -1, "Mistake", by="ada@example.com", idempotency_key="c")
    told = list(
        OutboxEvent.objects.order_by("id").values_list("kind", "properties__Points", "properties__Balance")
    )
    assert told == [("points_earned", 10, 10), ("points_redeemed", 4, 6), ("points_adjusted", -1, 5)]
    first = OutboxEvent.objects.order_by("id").first()
    assert first.properties["Order Id"] == "1001"
    assert first.source == f"points:{PointsEntry.objects.get(idempotency_key='a').pk}"
    assert PointsEntry.objects.get(idempotency_key="c").created_by == "ada@example.com"


def test_an_adjustment_leaves_lifetime_points(tenant, member):
    ledger.adjust(member, 40, "Goodwill", by="ada", idempotency_key="c")
    member.refresh_from_db()
    assert (member.points_balance, member.points_lifetime, member.last_activity_at) == (40, 0, None)


def test_reaching_a_threshold_moves_the_tier_with_history_and_event(tenant, member):
    silver, gold = make_tier(tenant, "silver", 100), make_tier(tenant, "gold", 500)
    ledger.post(tenant, [entry(points=100, key="a")])
    ledger.post(tenant, [entry(points=400, key="b")])
    member.refresh_from_db()
    assert member.tier == gold
    moves = list(TierChange.objects.order_by("id").values_list("before", "after"))
    assert moves == [(None, silver.pk), (silver.pk, gold.pk)]
    told = OutboxEvent.objects.filter(kind="tier_achieved").order_by("-id").first()
    assert (told.properties["Tier"], told.properties["Previous Tier"]) == ("Gold", "Silver")


def test_audiences_and_marks_follow(tenant, member, announced):
    rich = make_audience(tenant, rule={"field": "points_balance", "op": "at_least", "value": 50})
    ledger.post(tenant, [entry(points=60, key="a")])
    assert rich.memberships.filter(left_at=None).count() == 1
    ledger.post(tenant, [entry(points=-20, key="b")])
    assert rich.memberships.filter(left_at=None).count() == 0
    assert set(DirtyMember.objects.values_list("tenant_id", "member_id")) == {(tenant.pk, member.pk)}
    assert set(announced) == {tenant.pk}


def test_another_tenants_member_is_unknown(tenant, member):
    assert ledger.post(make_tenant(), [entry()])[0].status == "refused"


def test_a_time_in_the_future_is_refused(tenant, member):
    result = ledger.post(tenant, [entry(occurred_at=timezone.now() + timedelta(hours=1))])[0]
    assert result.status == "refused"


def test_history_marks_its_events(tenant, member):
    make_tier(tenant, "silver", 100)
    ledger.post(tenant, [entry(points=100)], history=True)
    assert set(OutboxEvent.objects.values_list("kind", "history")) == {
        ("points_earned", True),
        ("tier_achieved", True),
    }


def test_the_number_of_queries_does_not_grow_with_the_list(tenant, django_assert_max_num_queries):
    make_tier(tenant)
    make_audience(tenant, rule={"field": "points_balance", "op": "at_least", "value": 50})
    for n in range(30):
        make_member(tenant, f"m{n}")
    entries = [entry(f"m{n}", 100, f"e{n}") for n in range(30)] + [
        entry(f"m{n}", -50, f"r{n}") for n in range(30)
    ]
    with django_assert_max_num_queries(24):
        ledger.post(tenant, entries)


def test_an_empty_list_is_no_work(tenant):
    assert ledger.post(tenant, []) == []
