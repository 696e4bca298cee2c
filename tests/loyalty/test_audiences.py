import pytest

from loyalty.models import Audience, AudienceMember, DirtyMember
from loyalty.rules.audience_rules import RuleError
from loyalty.services import audiences
from tests.factories import make_audience, make_member, make_tenant

RICH = {"all": [{"field": "points_balance", "op": "at_least", "value": 50}]}


def current(audience):
    return set(audience.memberships.filter(left_at=None).values_list("member__external_id", flat=True))


def test_refresh_takes_in_and_lets_go(tenant):
    rich, poor = make_member(tenant, "1", points_balance=60), make_member(tenant, "2")
    audience = make_audience(tenant, rule=RICH)
    assert audiences.refresh(tenant) == audiences.RefreshCounts(joined=1)
    rich.points_balance, poor.points_balance = 1, 70
    rich.save(), poor.save()
    assert audiences.refresh(tenant) == audiences.RefreshCounts(joined=1, left=1)
    assert audiences.refresh(tenant) == audiences.RefreshCounts()
    assert current(audience) == {"2"}
    assert AudienceMember.objects.count() == 2
    assert set(DirtyMember.objects.values_list("member_id", flat=True)) == {rich.pk, poor.pk}
    audience.refresh_from_db()
    assert audience.refreshed_at is not None


def test_who_comes_back_has_a_second_stay(tenant):
    member = make_member(tenant, "1", points_balance=60)
    make_audience(tenant, rule=RICH)
    for balance in (60, 0, 60):
        member.points_balance = balance
        member.save()
        audiences.refresh(tenant, member_ids=[member.pk])
    assert AudienceMember.objects.filter(left_at=None).count() == 1
    assert AudienceMember.objects.count() == 2


def test_refresh_of_one_audience_leaves_others_and_other_tenants(tenant):
    make_member(tenant, "1", points_balance=60)
    other = make_tenant()
    make_member(other, "1", points_balance=60)
    first, second = make_audience(tenant, rule=RICH), make_audience(tenant, rule=RICH)
    audiences.refresh(tenant, audience_ids=[first.pk])
    assert (current(first), current(second)) == ({"1"}, set())
    assert AudienceMember.objects.count() == 1


def test_a_rule_that_cannot_be_used_stops_no_other(tenant, caplog):
    make_member(tenant, "1", points_balance=60)
    broken = make_audience(tenant, rule={"field": "gone", "op": "is_set"})
    good = make_audience(tenant, rule=RICH)
    audiences.refresh(tenant)
    assert (current(broken), current(good)) == (set(), {"1"})
    assert "cannot be used" in caplog.text


def test_the_number_of_queries_does_not_grow_with_audiences(tenant, django_assert_num_queries):
    members = [make_member(tenant, points_balance=60).pk for _ in range(5)]
    for _ in range(6):
        make_audience(tenant, rule=RICH)
    with django_assert_num_queries(2):
        audiences.follow(tenant, members)


def test_preview_counts_without_writing(tenant):
    make_member(tenant, points_balance=60)
    make_member(tenant)
    assert audiences.preview_count(tenant, RICH) == 1
    assert AudienceMember.objects.count() == 0
    with pytest.raises(RuleError, match="Did you mean “points_balance”"):
        audiences.preview_count(tenant, {"field": "point_balance", "op": "is_set"})


def test_a_static_audience_is_changed_by_external_id(tenant):
    for name in ("1", "2", "3"):
        make_member(tenant, name)
    press = make_audience(tenant, "press")
    audiences.change_static(press, add=["1", "2"], remove=[])
    result = audiences.change_static(press, add=["2", "3", "x"], remove=["1", "9", "3"])
    assert (result.added, result.removed, result.already) == (0, 1, 1)
    assert (result.not_members, result.unknown) == (("3",), ("x", "9"))
    assert current(press) == {"2"}


def test_an_audience_by_rule_is_not_changed_by_hand(tenant):
    with pytest.raises(ValueError, match="follows a rule"):
        audiences.change_static(make_audience(tenant, rule=RICH), add=["1"], remove=[])


def test_a_static_audience_has_no_rule(tenant):
    assert Audience.objects.filter(pk=make_audience(tenant).pk, rule__isnull=True).exists()
