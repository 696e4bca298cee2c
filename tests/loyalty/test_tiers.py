import pytest

from loyalty.models import DirtyMember, Member, OutboxEvent, Tier, TierChange
from loyalty.rules.tiers import Step
from loyalty.services import tiers
from tests.factories import make_audience, make_member, make_tier


def test_a_new_threshold_moves_members_both_ways(tenant):
    gold = make_tier(tenant, "gold", 100)
    up, down = make_member(tenant, points_lifetime=50), make_member(tenant, points_lifetime=120, tier=gold)
    golden = make_audience(tenant, rule={"field": "tier_slug", "op": "equals", "value": "gold"})
    assert tiers.apply_definition(tenant, [Step("silver", "Silver", 40), Step("gold", "Gold", 200)]) == 2
    assert {m.pk: m.tier.slug for m in Member.objects.all()} == {up.pk: "silver", down.pk: "silver"}
    assert TierChange.objects.count() == 2
    told = {e.kind: e.properties for e in OutboxEvent.objects.all()}
    assert told["tier_achieved"]["Tier"] == "Silver"
    assert told["tier_lost"]["Tier"] == "Gold"
    assert told["tier_lost"]["Current Tier"] == "Silver"
    assert set(DirtyMember.objects.values_list("member_id", flat=True)) == {up.pk, down.pk, None}
    assert golden.memberships.count() == 0


def test_thresholds_can_change_places(tenant):
    make_tier(tenant, "a", 100), make_tier(tenant, "b", 200)
    tiers.apply_definition(tenant, [Step("a", "A", 200), Step("b", "B", 100)])
    assert dict(Tier.objects.values_list("slug", "threshold")) == {"a": 200, "b": 100}


def test_the_same_definition_again_moves_nobody(tenant):
    make_member(tenant, points_lifetime=50)
    steps = [Step("a", "A", 10)]
    assert tiers.apply_definition(tenant, steps) == 1
    assert tiers.apply_definition(tenant, steps) == 0


def test_a_definition_that_clashes_with_a_kept_tier_is_refused(tenant):
    make_tier(tenant, "old", 100)
    with pytest.raises(ValueError, match="threshold 100"):
        tiers.apply_definition(tenant, [Step("new", "New", 100)])
    assert Tier.objects.count() == 1


def test_a_new_name_is_a_change_of_every_member(tenant):
    make_tier(tenant, "gold", 100, name="Gold")
    tiers.define(tenant, [Step("gold", "Gold", 100)])
    assert not DirtyMember.objects.exists()
    tiers.define(tenant, [Step("gold", "Or", 100)])
    assert DirtyMember.objects.get().member_id is None
