import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from loyalty.models import ConsentRecord, DirtyMember, ErasedMember, Member, OutboxEvent, TierChange
from loyalty.rules.ledger_entries import EntryInput
from loyalty.rules.member_input import parse
from loyalty.services import ledger, members
from tests.factories import make_audience, make_member, make_tenant, make_tier


def told(external_id="1", **fields):
    item, errors, _ = parse({"external_id": external_id, **fields})
    assert not errors
    return item


def upsert(tenant, *items, **options):
    return members.upsert(tenant, items, **{"source": "api", **options})


def test_created_updated_unchanged(tenant):
    assert upsert(tenant, told(first_name="Ada"))[0].status == "created"
    assert upsert(tenant, told(first_name="Ada"))[0].status == "unchanged"
    assert upsert(tenant, told(city="London"))[0].status == "updated"
    member = Member.objects.get()
    assert (member.first_name, member.city) == ("Ada", "London")


def test_what_is_omitted_stays_and_what_is_empty_is_cleared(tenant):
    upsert(tenant, told(first_name="Ada", last_name="L", birthday="1990-05-17", tags=["a"]))
    upsert(tenant, told(first_name=None, birthday="", tags=[]))
    member = Member.objects.get()
    assert (member.first_name, member.last_name, member.birth_month, member.tags) == ("", "L", None, [])


def test_attributes_merge_by_key(tenant):
    upsert(tenant, told(attributes={"a": 1, "b": "x", "c": {"deep": None}}))
    assert upsert(tenant, told(attributes={"a": True, "b": None}))[0].status == "updated"
    assert Member.objects.get().attributes == {"a": True, "c": {"deep": None}}
    upsert(tenant, told(attributes=None))
    assert Member.objects.get().attributes == {}


def test_an_unchanged_member_is_not_written(tenant):
    upsert(tenant, told(first_name="Ada", attributes={"a": [1, 2.5]}))
    before = Member.objects.get().updated_at
    DirtyMember.objects.all().delete()
    upsert(tenant, told(first_name="Ada", attributes={"a": [1, 2.5]}))
    assert Member.objects.get().updated_at == before
    assert not DirtyMember.objects.exists()


def test_items_for_one_member_count_in_their_order(tenant):
    results = upsert(tenant, told(first_name="Ada"), told(first_name="Eve"), told(first_name="Eve"))
    assert [r.status for r in results] == ["created", "updated", "unchanged"]
    assert {r.member_id for r in results} == {Member.objects.get().pk}
    assert Member.objects.get().first_name == "Eve"


def test_joining_is_told_once(tenant):
    upsert(tenant, told("1"), told("2", state="candidate"), told("3", state="disabled"))
    upsert(tenant, told("2", state="member"), told("1", first_name="Ada"))
    joined = OutboxEvent.objects.filter(kind="member_joined").order_by("id")
    assert [event.member.external_id for event in joined] == ["1", "2"]
    assert joined[0].properties["Source"] == "api"
    assert Member.objects.get(external_id="1").enrolled_at is not None
    assert Member.objects.get(external_id="3").enrolled_at is None


def test_an_import_can_keep_silent_or_tell_history(tenant):
    upsert(tenant, told("1"), events=False)
    upsert(tenant, told("2", enrolled_at="2020-01-01T00:00:00Z"), history=True)
    event = OutboxEvent.objects.get()
    assert (event.history, event.occurred_at) == (True, datetime(2020, 1, 1, tzinfo=UTC))


def test_a_new_member_starts_on_the_first_tier_without_an_event(tenant):
    base = make_tier(tenant, "base", 0)
    upsert(tenant, told("1"), events=True)
    assert Member.objects.get().tier == base
    assert TierChange.objects.get().reason == "Joined"
    assert not OutboxEvent.objects.filter(kind="tier_achieved").exists()


def test_audiences_follow(tenant):
    londoners = make_audience(tenant, rule={"field": "city", "op": "equals", "value": "London"})
    upsert(tenant, told("1", city="London"), told("2", city="Rome"))
    upsert(tenant, told("1", city="Rome"), told("2", city="London"))
    assert [m.member.external_id for m in londoners.memberships.filter(left_at=None)] == ["2"]


def test_consent_is_history_and_the_newest_holds(tenant):
    upsert(tenant, told(consent={"email": {"status": "granted", "given_at": "2026-01-02T00:00:00Z"}}))
    upsert(tenant, told(consent={"email": {"status": "revoked", "given_at": "2026-01-01T00:00:00Z"}}))
    assert Member.objects.get().email_consent == "granted"
    assert ConsentRecord.objects.count() == 2


def test_a_consent_told_again_is_no_news(tenant):
    assert upsert(tenant, told(consent={"sms": "granted"}))[0].status == "created"
    assert upsert(tenant, told(consent={"sms": "granted"}))[0].status == "unchanged"
    assert upsert(tenant, told(consent={"sms": "revoked"}))[0].status == "updated"
    assert Member.objects.get().sms_consent == "revoked"
    assert list(ConsentRecord.objects.values_list("status", "source")) == [
        ("granted", "api"),
        ("revoked", "api"),
    ]


def test_erased_people_do_not_come_back(tenant, settings):
    settings.ERASE_TARGET = "tests.loyalty.test_members.note_erasure"
    ERASURES.clear()
    upsert(tenant, told("1", email="ada@example.com", phone="+447700900123", consent={"email": "granted"}))
    ledger.post(tenant, [EntryInput("1", 10, "x", "a"), EntryInput("1", -5, "x", "b")])
    member = Member.objects.get()
    members.erase(member, by="owner@example.com")
    assert [(tenant.pk, member.pk, True)] == ERASURES
    assert not Member.objects.exists()
    assert not OutboxEvent.objects.exists()
    assert ErasedMember.objects.count() == 1
    results = upsert(tenant, told("1"), told("2"))
    assert [r.status for r in results] == ["refused", "created"]
    assert "erased" in results[0].errors[0]
    assert upsert(make_tenant(), told("1"))[0].status == "created"


def test_who_comes_back_under_a_new_id_is_a_new_member(tenant, caplog):
    caplog.set_level("INFO")
    upsert(tenant, told("1", email="ada@example.com"))
    members.erase(Member.objects.get(), by="owner@example.com")
    assert upsert(tenant, told("2", email="ada@example.com"))[0].status == "created"
    [line] = [record.getMessage() for record in caplog.records if "erased" in record.getMessage()]
    assert "owner@example.com" in line and "ada" not in line


def marked():
    """External ids of the marked, whose marks are taken away."""
    ids = list(DirtyMember.objects.values_list("member_id", flat=True))
    DirtyMember.objects.all().delete()
    return sorted(Member.objects.filter(pk__in=ids).values_list("external_id", flat=True))


@pytest.mark.parametrize(
    ("kind", "shared", "other"),
    [("email", "a@example.com", "b@example.com"), ("phone", "+447700900123", "+447700900124")],
)
def test_twins_are_looked_at_when_one_changes_the_address_that_they_share(tenant, kind, shared, other):
    upsert(tenant, told("1", **{kind: shared}), told("2", **{kind: shared}), told("3", **{kind: other}))
    marked()
    upsert(tenant, told("1", city="Rome"))
    assert marked() == ["1"]
    upsert(tenant, told("1", **{kind: other}))
    assert marked() == ["1", "2", "3"]
    upsert(tenant, told("2", **{kind: None}))
    assert marked() == ["2"]
    members.erase(Member.objects.get(external_id="1"), by="x")
    assert marked() == ["3"]


ERASURES = []


def note_erasure(tenant_id, member_id):
    is_there = Member.objects.filter(pk=member_id).exists() and connection.in_atomic_block
    ERASURES.append((tenant_id, member_id, is_there))


def test_a_change_of_very_many_is_one_mark(tenant, settings):
    settings.FULL_DUE_ABOVE = 3
    members.mark_dirty(tenant.pk, [1, 2, 3])
    members.mark_dirty(tenant.pk, [1, 2, 3, 4])
    assert list(DirtyMember.objects.order_by("id").values_list("member_id", flat=True)) == [1, 2, 3, None]


def test_nothing_changed_marks_and_announces_nothing(tenant, announced):
    members.mark_dirty(tenant.pk, [])
    assert announced == []


@pytest.mark.parametrize("text", ["ADA@", "ada@example.com", "+44 77", "c-1", "AD", "love", "ada lov"])
def test_find_by_the_beginning(tenant, text):
    make_member(
        tenant, "C-1", email="ada@example.com", phone="+447700900123", first_name="Ada", last_name="Lovelace"
    )
    make_member(tenant, "C-10", email="bob@example.com", first_name="Bob")
    make_member(make_tenant(), "C-1", email="ada@example.com", phone="+447700900123")
    found = Member.objects.filter(pk__in=members.find([tenant.pk], text))
    assert [m.external_id for m in found] == ["C-1"]


def test_find_looks_into_an_index_for_each_way(tenant):
    Member.objects.bulk_create(
        Member(
            tenant=tenant, external_id=f"C-{n}", email=f"ada{n}@example.com", phone=f"+4477{n}",
            first_name=f"Ada{n}", last_name=f"Lovelace{n}",
        )
        for n in range(3000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE loyalty_member")
    for text in ("Ada2999", "+4477299", "ada2999 lovelace2999"):
        plan = members.find([tenant.pk], text).explain()
        assert "Seq Scan" not in plan and "Index Cond" in plan, plan


def test_the_number_of_queries_does_not_grow_with_the_list(tenant, django_assert_max_num_queries):
    make_tier(tenant, "base", 0)
    make_audience(tenant, rule={"field": "city", "op": "is_set"})
    upsert(tenant, *(told(f"m{n}") for n in range(20)))
    with django_assert_max_num_queries(22):
        upsert(tenant, *(told(f"m{n}", city="Rome", consent={"email": "granted"}) for n in range(40)))


@pytest.mark.django_db(transaction=True)
def test_two_calls_that_create_the_same_member():
    tenant = make_tenant()
    started, results = threading.Event(), []

    def second():
        started.wait(5)
        try:
            results.append(upsert(tenant, told("1", city="Rome"), told("2"))[0].status)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    with transaction.atomic():
        upsert(tenant, told("1", first_name="Ada"))
        started.set()
        thread.join(0.3)
    thread.join(10)
    member = Member.objects.get(external_id="1")
    assert results == ["updated"]
    assert (member.first_name, member.city) == ("Ada", "Rome")
