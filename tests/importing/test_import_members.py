"""What a file of members does, and what the report says of it."""

import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from loyalty.importing import effects
from loyalty.importing.csv_files import UnreadableFile
from loyalty.models import (
    AudienceMember,
    ConsentRecord,
    DirtyMember,
    Member,
    OutboxEvent,
    PointsEntry,
    TierChange,
)
from loyalty.services import members
from tests.factories import make_audience, make_member, make_tenant, make_tier

pytestmark = pytest.mark.django_db


def counts(report):
    return report.created, report.updated, report.unchanged, report.refused_count


def test_members_are_created_changed_and_left_alone(take, tenant):
    make_member(tenant, "b", email="b@example.com", first_name="Bob", city="Paris")
    make_member(tenant, "c", email="c@example.com", first_name="Cy")
    report = take("external_id,email,first_name\na,A@Example.com,Ada\nb,,Rob\nc,c@example.com,Cy\n")
    assert counts(report) == (1, 1, 1, 0)
    found = {m.external_id: m for m in Member.objects.all()}
    assert (found["a"].email, found["a"].first_name, found["a"].state) == ("a@example.com", "Ada", "member")
    assert (found["b"].email, found["b"].first_name, found["b"].city) == ("b@example.com", "Rob", "Paris")


def test_a_heading_alone_is_said(take):
    assert take("external_id,email\n").file_warnings == ["The file has no rows below its heading."]


def test_the_same_file_again_changes_nothing(take):
    text = (
        "external_id,email,phone,birthday,tags,consent.email,attributes.size,attributes.n:number,enrolled_at,points_balance\n"
        'a,a@x.com,+447911123456,1990-05-17,"vip,new",granted,L,5,2024-01-01T00:00:00Z,100\n'
        "b,malformed,12,05-17,,revoked,,,,\n"
    )
    assert counts(take(text)) == (2, 0, 0, 0)
    DirtyMember.objects.all().delete()
    assert counts(take(text)) == (0, 0, 2, 0)
    assert not DirtyMember.objects.exists()
    assert ConsentRecord.objects.count() == 2 and PointsEntry.objects.count() == 1


def test_every_column_lands_where_it_belongs(take):
    take(
        "External ID; E-Mail ;".replace("E-Mail", "email")
        + "First-Name;birthday;country;timezone;state;enrolled_at;tags;attributes.Shoe Size:number;"
        "attributes.vip:boolean;attributes.raw:json;attributes.note;consent.sms;zip\n"
        'x;X@Y.com;Ada;05-17;gb;Europe/London;Candidate;2024-01-01T10:00:00+02:00;"a, b";42.5;Yes;{"k": [1]};'
        '"line one\nline ""two""";Granted;01234\n'
    )
    found = Member.objects.get()
    assert (found.email, found.first_name, found.country, found.state, found.zip) == (
        "x@y.com",
        "Ada",
        "GB",
        "candidate",
        "01234",
    )
    assert (found.birth_year, found.birth_month, found.birth_day) == (None, 5, 17)
    assert found.enrolled_at == datetime(2024, 1, 1, 8, tzinfo=UTC)
    assert found.tags == ["a", "b"]
    assert found.attributes == {
        "Shoe Size": 42.5,
        "vip": True,
        "raw": {"k": [1]},
        "note": 'line one\nline "two"',
    }
    assert found.sms_consent == "granted"


def test_refused_rows_are_named_and_the_others_go_in(take):
    report = take(
        "external_id,birthday,attributes.n:number,points_balance\n"
        "a,tomorrow,x,-5\n"
        ",1990-01-01,,\n"
        ",,,\n"
        '"b\nc",,,\n'
        "d,1990-01-01,1,5\n"
        "e,1990-01-01,1,9007199254740993\n"
    )
    assert counts(report) == (1, 0, 0, 4)
    assert [note.line for note in report.refused] == [2, 3, 5, 8]
    first = report.refused[0].reason
    assert all(word in first for word in ("birthday:", "attributes.n:", "points_balance:"))
    assert report.rows == 5


def test_malformed_addresses_go_in_with_a_warning(take):
    report = take("external_id,email,phone\na,not an address,12345\n")
    found = Member.objects.get()
    assert (found.email_malformed, found.phone_malformed) == (True, True)
    assert [note.line for note in report.warnings] == [2, 2]


def test_two_members_may_share_an_address(take):
    assert counts(take("external_id,email\na,x@y.com\nb,x@y.com\n")) == (2, 0, 0, 0)


def test_the_last_of_several_lines_for_a_member_counts(take):
    report = take("external_id,first_name\na,One\nb,B\na,Two\na,Three\n")
    assert counts(report) == (2, 0, 0, 0)
    assert Member.objects.get(external_id="a").first_name == "Three"
    assert [(note.line, note.external_id) for note in report.warnings] == [(2, "a"), (4, "a")]
    assert report.rows == report.created + report.replaced == 4


def test_backslash_n_empties_a_field_and_an_empty_cell_does_not(take, tenant):
    make_member(
        tenant, "a", first_name="Ada", birth_month=5, birth_day=17, enrolled_at=datetime(2024, 1, 1, tzinfo=UTC),
        attributes={"size": "L", "kept": 1}, tags=["x"], city="Paris",
    )  # fmt: skip
    header = "external_id,email,first_name,birthday,enrolled_at,tags,city,attributes.size\n"
    assert counts(take(header + "a,,,,,,,\n")) == (0, 0, 1, 0)
    assert counts(take(header + r"a,\N,\N,\N,\N,\N,\N,\N" + "\n")) == (0, 1, 0, 0)
    found = Member.objects.get()
    assert (found.email, found.first_name, found.city, found.tags) == ("", "", "", [])
    assert (found.birth_month, found.birth_day, found.enrolled_at, found.attributes) == (
        None,
        None,
        None,
        {"kept": 1},
    )


def test_a_dry_run_says_the_same_and_changes_nothing(take, tenant):
    make_tier(tenant, threshold=0)
    make_member(tenant, "b", first_name="Bob")
    text = "external_id,first_name,points_balance,consent.email\na,Ada,5,granted\nb,Rob,,\n,,,x\n"
    dry = take(text, dry_run=True)
    assert Member.objects.get().first_name == "Bob"
    assert (
        not PointsEntry.objects.exists()
        and not DirtyMember.objects.exists()
        and not ConsentRecord.objects.exists()
    )
    real = take(text)
    assert counts(dry) == counts(real) == (1, 1, 0, 1)
    assert dry.opening_balances == real.opening_balances == 1


def test_an_opening_balance_is_posted_once_for_ever(take):
    text = "external_id,points_balance\na,100\nb,0\nc,120.0\nd,\n"
    assert take(text).opening_balances == 2
    found = {m.external_id: m for m in Member.objects.all()}
    assert (found["a"].points_balance, found["a"].points_lifetime, found["c"].points_balance) == (
        100,
        100,
        120,
    )
    assert PointsEntry.objects.filter(reason="Opening balance", kind="earn").count() == 2
    again = take(text.replace("a,100", "a,150"))
    assert again.opening_balances == 0
    assert "100" in again.warnings[0].reason and again.warnings[0].line == 2
    assert Member.objects.get(external_id="a").points_balance == 100


def test_nothing_is_told_unless_events_are_asked_for_and_then_as_history(take, tenant):
    make_tier(tenant, threshold=0)
    take("external_id,points_balance\na,100\n")
    assert not OutboxEvent.objects.exists()
    take("external_id,points_balance\nb,100\n", events=True)
    told = OutboxEvent.objects.filter(member__external_id="b")
    assert {"member_joined", "points_earned"} <= set(told.values_list("kind", flat=True))
    assert set(OutboxEvent.objects.values_list("history", flat=True)) == {True}


def test_tiers_audiences_and_marks_follow(take, tenant):
    bronze, gold = make_tier(tenant, "bronze", 0), make_tier(tenant, "gold", 100)
    audience = make_audience(tenant, rule={"all": [{"field": "tags", "op": "contains", "value": "vip"}]})
    take("external_id,tags,points_balance\na,vip,\nb,,500\n")
    found = {m.external_id: m for m in Member.objects.all()}
    assert (found["a"].tier_id, found["b"].tier_id) == (bronze.pk, gold.pk)
    assert TierChange.objects.filter(member=found["b"]).count() == 2
    assert AudienceMember.objects.get(audience=audience, left_at=None).member_id == found["a"].pk
    assert {mark.member_id for mark in DirtyMember.objects.all()} == {m.pk for m in found.values()}


def test_twins_are_marked_when_one_changes_the_address_that_they_share(take, tenant):
    take("external_id,email\n1,a@example.com\n2,a@example.com\n3,b@example.com\n4,c@example.com\n")
    DirtyMember.objects.all().delete()
    take("external_id,email\n1,b@example.com\n")
    ids = DirtyMember.objects.values_list("member_id", flat=True)
    found = Member.objects.filter(pk__in=list(ids)).values_list("external_id", flat=True)
    assert sorted(found) == ["1", "2", "3"]


def test_many_changes_leave_one_mark_for_all(take, settings):
    settings.FULL_DUE_ABOVE = 2
    take("external_id\n" + "\n".join("abcd") + "\n")
    assert [mark.member_id for mark in DirtyMember.objects.all()] == [None]


def test_consent_alone_makes_a_changed_member(take, tenant):
    make_member(tenant, "a", email_consent="")
    assert counts(take("external_id,consent.email\na,granted\n")) == (0, 1, 0, 0)
    assert Member.objects.get().email_consent == "granted"
    assert ConsentRecord.objects.get().source == "csv"
    assert counts(take("external_id,consent.email\na,maybe\n")) == (0, 0, 0, 1)


def test_the_erased_do_not_come_back(take, tenant, monkeypatch):
    member = make_member(tenant, "a")
    members.erase(member, by="test")
    report = take("external_id\na\nb\n")
    assert counts(report) == (1, 0, 0, 1)
    assert "erased" in report.refused[0].reason


def test_another_tenants_member_of_the_same_id_is_left_alone(take):
    theirs = make_member(make_tenant("other"), "a", first_name="Theirs")
    assert counts(take("external_id,first_name\na,Mine\n")) == (1, 0, 0, 0)
    theirs.refresh_from_db()
    assert theirs.first_name == "Theirs"


def test_a_crash_leaves_nothing_half_way(take, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("killed")

    monkeypatch.setattr(effects, "_mark", fail)
    with pytest.raises(RuntimeError):
        take("external_id,points_balance\na,5\n")
    assert not Member.objects.exists() and not PointsEntry.objects.exists()


def test_a_file_torn_in_the_middle_changes_nothing(take):
    with pytest.raises(UnreadableFile, match="quotation"):
        take('external_id,first_name\na,Ada\nb,"Bob\nc,Cy\n')
    assert not Member.objects.exists()


def run(path, *args):
    try:
        call_command("import_members", "acme", str(path), *args)
    except SystemExit as end:
        return end.code
    return 0


def test_the_command_reports_and_ends_with_a_status(tenant, tmp_path, capsys):
    path = tmp_path / "m.csv"
    path.write_text("external_id,birthday\na,1990-01-01\nb,x\n")
    assert run(path, "--dry-run", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["created"], told["refused"], told["dry_run"]) == (1, 1, True)
    assert told["refused_rows"][0]["line"] == 3
    assert not Member.objects.exists()
    assert run(path) == 1
    said = capsys.readouterr().out
    assert "Refused, line 3 (b): birthday:" in said and "1 created" in said
    path.write_text("external_id\na\n")
    assert run(path) == 0


@pytest.mark.parametrize(
    ("tenant_slug", "content", "words"),
    [
        ("nobody", "external_id\n", "Known tenants: acme"),
        ("acme", "external_id,shoe\na,1\n", "Unknown column: “shoe”. Known are"),
        ("acme", "email\na@x.com\n", "“external_id” is missing"),
        ("acme", "", "empty"),
        ("acme", "external_id,External Id\n", "twice"),
        ("acme", "external_id,attributes.$x\n", "reserved"),
        ("acme", None, "cannot be opened"),
    ],
)
def test_wrong_use_ends_with_2_and_a_sentence(tenant, tmp_path, tenant_slug, content, words):
    path = tmp_path / "m.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CommandError, match=words.replace("“", ".").replace("”", ".")) as error:
        call_command("import_members", tenant_slug, str(path))
    assert error.value.returncode == 2


def test_unknown_columns_can_be_left_out(take):
    assert counts(take("external_id,shoe,\na,1,x\n", ignore_unknown=True)) == (1, 0, 0, 0)
