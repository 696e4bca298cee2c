"""A property that is mapped no more: its values are left, or cleared, by bulk and by single calls alike."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Extension, FieldMapping, RetiredProperty, SentProfile, SyncRow
from integrations.services import clearing, field_mappings
from tests.services.builders import people, run, sent, touch
from tests.services.conftest import Connect, connect, drain, fake, remote, step

pytestmark = pytest.mark.django_db
__all__ = ["connect", "fake", "remote"]  # fixtures

BULK, SINGLE = 130, 2
WRITES = ("write_profile", "submit")
GUARDED = ("fill_empty", "keep_theirs", "max", "skip_existing")


def sent_notes(connect: Connect, count: int, *, exception: str = "", **settings):
    """A connection with Note sent to everybody, and Points that stays mapped."""
    extension = connect(fields={"attributes.note": "Note", "points_balance": "Points"}, **settings)
    FieldMapping.objects.filter(extension=extension, property="Note").update(policy=exception)
    members = people(extension.tenant, count, attributes={"note": "ours"})
    run(extension)
    return Extension.objects.get(pk=extension.pk), members


def drop(extension: Extension, old: str, name: str = "Note") -> None:
    field_mappings.remove(FieldMapping.objects.get(extension=extension, property=name), old=old)


def properties(remote, number: int = 0):
    return {
        name: value
        for name, value in remote.document(f"M-{number}").items()
        if name not in ("email", "external_id")
    }


def change_there(remote, number: int, value) -> None:
    (profile,) = [one for one in remote.profiles.values() if one["values"]["external_id"] == f"M-{number}"]
    profile["properties"]["Note"] = value


# Leaving -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["", "overwrite", *GUARDED])
@pytest.mark.parametrize("count", [SINGLE, BULK])
def test_what_is_left_causes_no_write(connect: Connect, remote, count, policy):
    extension, _ = sent_notes(connect, count, merge_policy=policy)
    drop(extension, "leave")
    before = remote.count(*WRITES, "read_profiles")
    ended = run(extension)
    assert remote.count(*WRITES, "read_profiles") == before
    assert (ended.unchanged, ended.sent) == (count, 0)
    assert properties(remote)["Note"] == "ours"


@pytest.mark.parametrize("count", [SINGLE, BULK])
def test_what_is_left_stays_when_something_else_is_written(connect: Connect, remote, count):
    extension, members = sent_notes(connect, count)
    drop(extension, "leave")
    for member in members:
        touch(member, points_balance=7)
    drain(extension)
    assert properties(remote) == {"Note": "ours", "Points": 7}
    row = SyncRow.objects.filter(member=members[0]).latest("pk")
    assert row.changes == {".Points": [0, 7]}


def test_what_is_left_stays_when_all_is_sent_again(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE)
    drop(extension, "leave")
    assert run(extension, force=True).sent == SINGLE
    assert properties(remote)["Note"] == "ours"


def test_a_mapping_that_goes_without_a_word_leaves_its_values(connect: Connect, remote):
    """As by a file, or by the admin."""
    extension, _ = sent_notes(connect, SINGLE)
    FieldMapping.objects.filter(property="Note").delete()
    assert run(extension).sent == 0
    assert properties(remote)["Note"] == "ours"


def test_what_is_left_is_forgotten_once_everybody_was_looked_at(connect: Connect):
    extension, members = sent_notes(connect, SINGLE)
    drop(extension, "leave")
    assert clearing.having(extension, "Note").count() == SINGLE
    run(extension)
    assert clearing.having(extension, "Note").count() == 0
    assert sent(extension, members[0]).payload["properties"] == {"Points": 0}


def test_mapped_again_before_that_it_is_as_if_nothing_was(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE)
    drop(extension, "leave")
    field_mappings.add(extension, field="attributes.note", property="Note")
    before = remote.count(*WRITES)
    assert run(extension).unchanged == SINGLE
    assert remote.count(*WRITES) == before


def test_a_mapped_value_that_became_empty_is_still_cleared(connect: Connect, remote):
    extension, members = sent_notes(connect, SINGLE)
    drop(extension, "leave", "Points")
    touch(members[0], attributes={})
    drain(extension)
    assert properties(remote) == {"Points": 0}


# Clearing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["", "overwrite", *GUARDED])
@pytest.mark.parametrize("count", [SINGLE, BULK])
def test_cleared_is_cleared_everywhere(connect: Connect, remote, count, policy):
    extension, members = sent_notes(connect, count, merge_policy=policy)
    drop(extension, "clear")
    singles = remote.count("write_profile")
    assert run(extension).sent == count
    assert (remote.count("write_profile") == singles) is (count == BULK)
    assert all(properties(remote, number) == {"Points": 0} for number in range(count))
    row = SyncRow.objects.filter(member=members[0]).latest("pk")
    assert (row.action, row.changes) == ("cleared", {".Note": ["ours", None]})
    assert not RetiredProperty.objects.exists()
    assert run(extension).unchanged == count


@pytest.mark.parametrize("policy", GUARDED)
@pytest.mark.parametrize("count", [SINGLE, BULK])
def test_a_value_that_was_changed_there_is_not_ours_to_clear(connect: Connect, remote, count, policy):
    extension, members = sent_notes(connect, count, merge_policy=policy)
    change_there(remote, 0, "theirs")
    drop(extension, "clear")
    run(extension)
    assert properties(remote, 0) == {"Note": "theirs", "Points": 0}
    assert properties(remote, 1) == {"Points": 0}
    assert SyncRow.objects.filter(member=members[0]).latest("pk").changes is None
    assert not RetiredProperty.objects.exists()


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("count", [1, BULK])
def test_nothing_is_written_where_nothing_is_ours_to_clear(connect: Connect, remote, count, gone):
    """Naming the person alone would say nothing, and would make anew a profile that was deleted there."""
    extension, members = sent_notes(connect, count, merge_policy="fill_empty")
    for number in range(count):
        change_there(remote, number, "theirs")
    if gone:
        remote.profiles.clear()
    drop(extension, "clear")
    before = remote.count(*WRITES)
    ended = run(extension)
    assert remote.count(*WRITES) == before
    assert (ended.status, ended.unchanged, ended.sent) == ("succeeded", count, 0)
    assert sent(extension, members[0]).payload["properties"] == {"Points": 0}
    assert not RetiredProperty.objects.exists()
    assert run(extension).unchanged == count


@pytest.mark.parametrize("policy", ["", "overwrite"])
@pytest.mark.parametrize("count", [SINGLE, BULK])
def test_where_ours_always_wins_whatever_is_there_goes(connect: Connect, remote, count, policy):
    extension, _ = sent_notes(connect, count, merge_policy=policy)
    change_there(remote, 0, "theirs")
    drop(extension, "clear")
    before = remote.count("read_profiles")
    run(extension)
    assert properties(remote, 0) == {"Points": 0}
    assert remote.count("read_profiles") == before


@pytest.mark.parametrize("exception", ["fill_empty", "keep_theirs", "max"])
def test_the_exception_that_the_mapping_had_still_guards(connect: Connect, remote, exception):
    extension, _ = sent_notes(connect, SINGLE, exception=exception)
    change_there(remote, 0, "theirs")
    drop(extension, "clear")
    run(extension)
    assert properties(remote, 0)["Note"] == "theirs"
    assert "Note" not in properties(remote, 1)


def test_an_exception_for_ours_clears_whatever_is_there(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE, exception="overwrite", merge_policy="fill_empty")
    change_there(remote, 0, "theirs")
    drop(extension, "clear")
    run(extension)
    assert "Note" not in properties(remote, 0)


def test_what_a_policy_had_left_to_them_stays(connect: Connect, remote):
    extension = connect(
        fields={"attributes.note": "Note", "points_balance": "Points"}, merge_policy="fill_empty"
    )
    remote.profiles["P0"] = {
        "values": {"external_id": "M-0", "email": "m0@acme.test"},
        "properties": {"Note": "theirs"},
    }
    people(extension.tenant, SINGLE, attributes={"note": "ours"})
    run(extension)
    extension.refresh_from_db()
    extension.merge_policy = "overwrite"
    extension.save(update_fields=["merge_policy"])
    drop(extension, "clear")
    run(extension)
    assert properties(remote, 0)["Note"] == "theirs"
    assert "Note" not in properties(remote, 1)


def test_other_peoples_values_are_never_touched(connect: Connect, remote):
    """Only profiles to which we sent it."""
    extension, _ = sent_notes(connect, SINGLE)
    people(extension.tenant, 1, start=5)
    run(extension)
    change_there(remote, 5, "theirs")
    drop(extension, "clear")
    run(extension)
    assert properties(remote, 5)["Note"] == "theirs"


def test_the_live_lane_clears_too(connect: Connect, remote):
    extension, members = sent_notes(connect, SINGLE)
    drop(extension, "clear")
    Extension.objects.update(full_due_at=None)
    touch(members[0])
    drain(extension)
    assert "Note" not in properties(remote, 0) and properties(remote, 1)["Note"] == "ours"
    assert RetiredProperty.objects.exists()


def test_a_rename_moves_the_values(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE)
    mapping = FieldMapping.objects.get(property="Note")
    field_mappings.change(mapping, field=mapping.field, property="Remark", policy="", old="clear")
    run(extension)
    assert properties(remote) == {"Remark": "ours", "Points": 0}


def test_a_rename_that_leaves_has_both(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE)
    mapping = FieldMapping.objects.get(property="Note")
    field_mappings.change(mapping, field=mapping.field, property="Remark", policy="", old="leave")
    run(extension)
    assert properties(remote) == {"Remark": "ours", "Note": "ours", "Points": 0}


# The end, and turning round ------------------------------------------------------------------------


def test_everybody_is_looked_at_again_and_told_why(connect: Connect):
    extension, _ = sent_notes(connect, SINGLE)
    Extension.objects.update(account_id="ACCOUNT", full_due_at=None)
    extension.refresh_from_db()
    FieldMapping.objects.filter(property="Note").update(property="N" * 120)
    drop(extension, "clear", "N" * 120)
    extension.refresh_from_db()
    assert extension.full_due_at and extension.full_due_reason.startswith("Property NNN")


def test_mapped_again_it_is_not_cleared(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE)
    drop(extension, "clear")
    field_mappings.add(extension, field="attributes.note", property="Note")
    assert not RetiredProperty.objects.exists()
    run(extension)
    assert properties(remote)["Note"] == "ours"


def test_mapped_again_by_a_file_it_is_not_cleared_either(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE)
    drop(extension, "clear")
    FieldMapping.objects.create(extension=extension, field="attributes.note", property="Note")
    run(extension)
    assert properties(remote)["Note"] == "ours"
    assert not RetiredProperty.objects.exists()


def test_mapped_again_after_it_was_cleared_it_is_sent_again(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE)
    drop(extension, "clear")
    run(extension)
    field_mappings.add(extension, field="attributes.note", property="Note")
    run(extension)
    assert properties(remote)["Note"] == "ours"


def test_stopped_what_is_there_stays(connect: Connect, remote):
    extension, _ = sent_notes(connect, SINGLE)
    drop(extension, "clear")
    assert clearing.stop(extension, "Note") and not clearing.stop(extension, "Note")
    assert run(extension).sent == 0
    assert properties(remote)["Note"] == "ours"


def test_it_goes_on_while_somebody_is_held(connect: Connect, remote):
    extension, members = sent_notes(connect, SINGLE)
    drop(extension, "clear")
    touch(members[0], email_malformed=True)
    # Rows of a test bear the time at which its one transaction began.
    RetiredProperty.objects.update(created_at=timezone.now() - timedelta(days=1))
    run(extension)
    (told,) = clearing.progress(extension)
    assert (told.cleared, told.left, told.total) == (1, 1, 2)
    touch(members[0], email_malformed=False)
    run(extension)
    assert not RetiredProperty.objects.exists() and "Note" not in properties(remote)


def test_a_body_of_before_that_is_still_on_its_way_is_waited_for(connect: Connect, remote):
    extension, members = sent_notes(connect, BULK)
    remote.holds_jobs = True
    for member in members:
        touch(member, points_balance=3)
    for _ in range(3):
        step(extension)
    assert SentProfile.objects.filter(in_flight__isnull=False).exists()
    drop(extension, "clear")
    SentProfile.objects.filter(extension=extension).update(payload=None)  # nobody has it, as far as we know
    clearing.finish(extension)
    assert RetiredProperty.objects.exists()
    remote.holds_jobs = False
    remote.finish_jobs()
    drain(extension)
    run(extension)
    assert not RetiredProperty.objects.exists() and "Note" not in properties(remote)
