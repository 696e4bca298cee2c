from datetime import UTC, datetime

from loyalty.models import ConsentRecord, DirtyMember, Member
from loyalty.rules.member_input import ConsentInput
from loyalty.services import consent
from loyalty.services.consent import ConsentAct
from tests.factories import make_audience, make_member, make_tenant

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def test_the_newest_act_holds_whatever_the_order_of_telling(tenant):
    member = make_member(tenant)
    acts = [
        ConsentAct(member.pk, ConsentInput("email", "revoked", given_at=LATE)),
        ConsentAct(member.pk, ConsentInput("email", "granted", given_at=EARLY)),
        ConsentAct(member.pk, ConsentInput("sms", "granted", source="till", given_at=EARLY)),
    ]
    assert consent.record(tenant, acts, source="webhook") == {member.pk}
    member.refresh_from_db()
    assert (member.email_consent, member.sms_consent) == ("revoked", "granted")
    assert set(ConsentRecord.objects.values_list("source", flat=True)) == {"webhook", "till"}
    assert DirtyMember.objects.count() == 1


def test_the_same_act_told_twice_is_one_record(tenant):
    act = ConsentAct(make_member(tenant).pk, ConsentInput("email", "granted", given_at=EARLY))
    consent.record(tenant, [act, act], source="api")
    assert consent.record(tenant, [act], source="api") == set()
    assert ConsentRecord.objects.count() == 1


def test_audiences_by_consent_follow(tenant):
    opted_in = make_audience(tenant, rule={"field": "email_consent", "op": "equals", "value": "granted"})
    member = make_member(tenant)
    consent.record(tenant, [ConsentAct(member.pk, ConsentInput("email", "granted"))], source="api")
    assert opted_in.memberships.get().member == member


def test_another_tenants_member_is_left_alone(tenant):
    stranger = make_member(make_tenant())
    assert (
        consent.record(tenant, [ConsentAct(stranger.pk, ConsentInput("email", "granted"))], source="api")
        == set()
    )
    assert Member.objects.get().email_consent == ""
    assert consent.record(tenant, [], source="api") == set()
