from datetime import UTC, datetime

import pytest

from loyalty import fields
from loyalty.field_list import FieldType
from loyalty.models import Member
from loyalty.rules.event_kinds import KINDS
from loyalty.services import audiences
from tests.factories import make_audience, make_member, make_tenant, make_tier

AT = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)


def document(*keys):
    return Member.objects.annotate(told=fields.document({key: key for key in keys})).get().told


def test_every_field_of_a_full_member_has_the_json_type_of_its_sample(tenant):
    silver = make_tier(tenant, "silver", 100)
    make_tier(tenant, "gold", 500)
    make_member(
        tenant, "1", email="ada@example.com", phone="+447700900123", first_name="Ada", last_name="Lovelace",
        locale="en-GB", timezone="Europe/London", birth_year=1990, birth_month=5, birth_day=7, tags=["a", "b"],
        address1="1 High Street", address2="Flat 2", city="London", region="Greater London", zip="N1", country="GB",
        enrolled_at=AT, last_activity_at=AT, referral_code="ADA", referral_url="https://x.co", points_balance=240,
        points_lifetime=300, points_expiring_next=5, points_expire_at=AT, tier=silver, tier_since=AT,
        email_consent="granted", sms_consent="revoked",
    )  # fmt: skip
    make_audience(tenant, "rich", rule={"field": "points_balance", "op": "at_least", "value": 1})
    audiences.refresh(tenant)
    told = document(*fields.all_fields())
    samples = {key: field.sample for key, field in fields.all_fields().items()}
    assert {key: type(value) for key, value in told.items()} == {
        key: type(value) for key, value in samples.items()
    }
    assert told["full_name"] == "Ada Lovelace"
    assert (told["birthday"], told["birthday_month_day"]) == ("1990-05-07", "05-07")
    assert told["enrolled_at"] == "2026-03-01T09:30:00Z"
    assert (told["tier_slug"], told["tier_name"]) == ("silver", "Silver")
    assert (told["next_tier_name"], told["points_to_next_tier"]) == ("Gold", 200)
    assert (told["audiences"], told["tags"]) == (["rich"], ["a", "b"])


def test_what_is_unknown_is_null_and_lists_are_empty(tenant):
    make_member(tenant, "1", email="")
    told = document(*fields.all_fields())
    known = {key: value for key, value in told.items() if value is not None}
    known.pop("created_at")
    assert known == {
        "external_id": "1", "state": "member", "tags": [], "audiences": [], "points_balance": 0,
        "points_lifetime": 0, "points_expiring_next": 0,
    }  # fmt: skip


def test_attributes_keep_their_own_values(tenant):
    own = {"n": 0, "no": False, "empty": "", "list": [1], "deep": {"a": None}, "1": "one", 'qu"ote %s': 1}
    make_member(tenant, attributes=own)
    assert document(*(f"attributes.{name}" for name in own)) == {f"attributes.{k}": v for k, v in own.items()}
    assert document("attributes.gone") == {"attributes.gone": None}


def test_a_malformed_address_is_shown_and_not_usable(tenant):
    make_member(tenant, email="ada@", email_malformed=True, phone="12", phone_malformed=True)
    told = document("email", "usable_email", "phone", "usable_phone")
    assert told == {"email": "ada@", "usable_email": None, "phone": "12", "usable_phone": None}


def test_a_birthday_without_its_year(tenant):
    make_member(tenant, birth_month=2, birth_day=29)
    assert document("birthday") == {"birthday": "--02-29"}


def test_a_document_may_have_more_properties_than_a_function_takes(tenant):
    make_member(tenant, points_balance=7)
    names = {f"Property {n}": "points_balance" for n in range(130)}
    told = Member.objects.annotate(told=fields.document(names)).get().told
    assert told == dict.fromkeys(names, 7)
    assert Member.objects.annotate(told=fields.document({})).get().told == {}


def test_annotations_stand_in_the_order_of_the_keys(tenant):
    make_member(tenant, "1", attributes={"x": 5}, points_balance=7)
    row = (
        fields.annotate(Member.objects.all(), ["points_balance", "attributes.x"])
        .values("field_0", "field_1")
        .get()
    )
    assert row == {"field_0": 7, "field_1": 5}


def test_attributes_are_found_with_their_types_in_one_query(tenant, django_assert_num_queries):
    make_member(tenant, attributes={"n": 1, "t": "x", "b": True, "l": [], "o": {}, "mixed": 1})
    make_member(tenant, attributes={"n": 2.5, "mixed": "x"})
    make_member(make_tenant(), attributes={"others": 1})
    with django_assert_num_queries(1):
        found = fields.all_fields(tenant)
    own = {
        key.removeprefix("attributes."): f.type for key, f in found.items() if key.startswith("attributes.")
    }
    assert own == {
        "n": FieldType.NUMBER, "t": FieldType.TEXT, "b": FieldType.BOOLEAN, "l": FieldType.LIST,
        "o": FieldType.ANY, "mixed": FieldType.ANY,
    }  # fmt: skip
    assert found["attributes.n"].expression() is not None


@pytest.mark.parametrize(
    ("key", "hint"),
    [("point_balance", "Did you mean “points_balance”?"), ("attributes.", "not a field"), ("zzz", "not")],
)
def test_an_unknown_field_suggests_the_nearest(key, hint):
    with pytest.raises(fields.UnknownField) as caught:
        fields.get(key)
    assert hint in str(caught.value)


def test_the_standard_properties_are_fields():
    assert all(fields.get(key) for key, _ in fields.STANDARD_PROPERTIES)
    assert [label for _, label in fields.STANDARD_PROPERTIES][:3] == [
        "Points Balance",
        "Points Lifetime",
        "VIP Tier",
    ]


def test_keys_are_unique_and_kinds_have_labels():
    keys = [field.key for field in fields.STATIC]
    assert len(keys) == len(set(keys))
    assert all(kind.label and kind.help for kind in KINDS.values())
