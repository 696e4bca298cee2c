"""A few profiles, one call each: who is meant, what is cleared, what fails."""

import pytest

from integrations.errors import IdentityConflict, ProfileGone, RowsRejected, Temporary
from integrations.models import SentProfile, SyncBatch, SyncRow
from tests.factories import make_member
from tests.fakes import Late
from tests.services.builders import drain, people, run, sent, touch, verdicts
from tests.services.conftest import Connect

pytestmark = pytest.mark.django_db


def there(remote, pk="P9", properties=None, **values):
    remote.profiles[pk] = {"values": values, "properties": properties or {}}


def test_a_profile_of_the_same_person_under_another_id_is_patched(connect: Connect, remote):
    there(remote, "P8", email="m0@acme.test")
    extension = connect()
    (member,) = people(extension.tenant, 1)
    remote.fail("write_profile", IdentityConflict("Taken.", other_id="P8"))
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 1)
    assert sent(extension, member).remote_id == "P8"
    assert remote.document("M-0")["email"] == "m0@acme.test"


@pytest.mark.parametrize(
    "values",
    [
        {"external_id": "M-9", "email": "m0@acme.test"},
        {"email": "other@acme.test", "phone": "+441632960000"},
        {"phone": "+441632960000"},
    ],
)
def test_another_person_is_never_overwritten(connect: Connect, remote, values):
    there(remote, "P8", **values)
    extension = connect()
    people(extension.tenant, 1, phone="+441632960000")
    remote.fail("write_profile", IdentityConflict("Taken.", other_id="P8"))
    ended = run(extension)
    assert (ended.status, verdicts(ended)["M-0"]) == ("failed", ("rejected", "identity_conflict"))
    assert remote.profiles["P8"]["values"] == values


def test_a_conflict_that_names_nobody_refuses_the_row(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 2)
    remote.fail("write_profile", IdentityConflict("Taken."))
    ended = run(extension)
    assert (ended.sent, ended.rejected) == (1, 1)


def test_an_outdated_remote_id_is_forgotten_and_the_profile_found_again(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    old = sent(extension, member).remote_id
    remote.profiles["PNEW"] = remote.profiles.pop(old)
    touch(member, points_balance=3)
    drain(extension)
    assert remote.document("M-0")["Points"] == 3
    assert sent(extension, member).remote_id == "PNEW"
    assert len(remote.profiles) == 1


def test_an_outdated_id_and_then_the_same_person_elsewhere(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run(extension)
    there(remote, "P8", email="m0@acme.test")
    remote.profiles.pop(sent(extension, member).remote_id)
    remote.fail("write_profile", ProfileGone("Gone."), IdentityConflict("Taken.", other_id="P8"))
    touch(member, points_balance=3)
    drain(extension)
    assert remote.profiles["P8"]["properties"] == {"Points": 3}
    assert sent(extension, member).remote_id == "P8"


def test_one_failure_does_not_hold_the_others(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 4)
    remote.fail("write_profile", None, Temporary("Down."), None, None)
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 4)
    assert remote.count("write_profile") == 5
    assert SyncBatch.objects.count() == 2


def test_a_profile_that_is_gone_again_and_again_holds_nobody(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 3)
    remote.checks["write_profile"] = lambda write: (
        ProfileGone("Gone.") if write.values["external_id"] == "M-0" else None
    )
    ended = run(extension)
    assert (ended.status, ended.sent, ended.failed) == ("partly_failed", 2, 1)


def test_a_refused_row_has_its_reason(connect: Connect, remote):
    extension = connect()
    make_member(extension.tenant, "BAD", email="no-at")
    people(extension.tenant, 1)
    ended = run(extension)
    assert verdicts(ended) == {"BAD": ("rejected", "invalid"), "M-0": ("sent", "")}
    remote.fail("write_profile", RowsRejected("Not today.", code="odd"))
    forced = run(extension, force=True)
    assert verdicts(forced)["BAD"] == ("rejected", "odd")


def test_a_phone_that_was_not_taken_is_said(connect: Connect, remote, monkeypatch):
    from integrations.gateway.values import WriteReceipt

    monkeypatch.setattr(remote, "write", lambda write: WriteReceipt("P1", True, ("phone",)))
    ended = run_of_one(connect)
    row = SyncRow.objects.get(run=ended)
    assert (row.verdict, row.code) == ("sent", "ignored") and "phone" in row.words


def run_of_one(connect):
    extension = connect()
    people(extension.tenant, 1)
    return run(extension)


# Clearing -------------------------------------------------------------------------------------------


def clearing(connect, count):
    extension = connect(fields={"attributes.note": "Note", "points_balance": "Points"})
    members = people(extension.tenant, count, first_name="Ana", attributes={"note": "hello"})
    run(extension)
    return extension, members


@pytest.mark.parametrize("count", [2, 130])
def test_a_property_that_became_empty_is_removed(connect: Connect, remote, count):
    extension, members = clearing(connect, count)
    for member in members:
        touch(member, attributes={})
    singles = remote.count("write_profile")
    drain(extension)
    assert not any("Note" in profile["properties"] for profile in remote.profiles.values())
    assert remote.document("M-0")["Points"] == 0
    assert (remote.count("write_profile") == singles) is (count > 100)
    row = SyncRow.objects.filter(member=members[0]).latest("pk")
    assert (row.action, row.changes) == ("cleared", {".Note": ["hello", None]})


@pytest.mark.parametrize("count", [2, 130])
def test_a_standard_attribute_that_became_empty_goes_alone(connect: Connect, remote, count):
    """A job ignores null, so the call is a single one even from a bulk run."""
    extension, members = clearing(connect, count)
    for member in members:
        touch(member, points_balance=1)
    touch(members[0], first_name="")
    singles = remote.count("write_profile")
    drain(extension)
    assert "first_name" not in remote.document("M-0")
    assert remote.document("M-1")["first_name"] == "Ana"
    assert all(profile["properties"]["Points"] == 1 for profile in remote.profiles.values())
    assert remote.count("write_profile") - singles == (1 if count > 100 else count)
    assert run(extension).unchanged == count


# Policies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 130])
def test_fill_empty_reads_first_and_keeps_theirs(connect: Connect, remote, count):
    there(remote, properties={"Points": 99}, external_id="M-0", email="m0@acme.test")
    extension = connect(merge_policy="fill_empty")
    members = people(extension.tenant, count, points_balance=5, first_name="Ana")
    ended = run(extension)
    assert ended.sent == count
    found = remote.document("M-0")
    assert (found["Points"], found["first_name"]) == (99, "Ana")
    assert sent(extension, members[0]).kept == {".Points": 99}
    assert run(extension).unchanged == count


def test_max_never_lowers(connect: Connect, remote):
    there(remote, properties={"Points": 50}, external_id="M-0", email="m0@acme.test")
    extension = connect(merge_policy="max")
    (member,) = people(extension.tenant, 1, points_balance=5)
    run(extension)
    assert remote.document("M-0")["Points"] == 50
    touch(member, points_balance=60)
    drain(extension)
    assert remote.document("M-0")["Points"] == 60


@pytest.mark.parametrize("count", [2, 130])
def test_profiles_that_were_there_are_left_alone(connect: Connect, remote, count):
    there(remote, properties={"Theirs": 1}, email="m0@acme.test")
    extension = connect(merge_policy="skip_existing")
    members = people(extension.tenant, count)
    ended = run(extension)
    assert (ended.status, ended.sent, ended.held) == ("succeeded", count - 1, 1)
    assert verdicts(ended)["M-0"] == ("held", "existing_profile")
    assert remote.profiles["P9"] == {"values": {"email": "m0@acme.test"}, "properties": {"Theirs": 1}}
    assert sent(extension, members[0]).created_by_us is False
    assert sent(extension, members[1]).created_by_us is True
    touch(members[1], points_balance=4)
    drain(extension)
    assert remote.document("M-1")["Points"] == 4


def test_a_profile_that_we_created_with_a_lost_answer_is_ours(connect: Connect, remote):
    extension = connect(merge_policy="skip_existing")
    members = people(extension.tenant, 2)
    remote.fail("write_profile", None, Late(Temporary("The answer was lost.")))
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 2)
    assert sent(extension, members[1]).created_by_us is True


def test_what_was_refused_was_not_created_by_us(connect: Connect, remote):
    extension = connect(merge_policy="skip_existing")
    people(extension.tenant, 1)
    remote.fail("write_profile", RowsRejected("Not today."))
    run(extension)
    SentProfile.objects.update(theirs_at=None)  # within one transaction no time passes
    there(remote, properties={"Theirs": 1}, email="m0@acme.test")
    ended = run(extension, force=True)
    assert verdicts(ended)["M-0"] == ("held", "existing_profile")
    assert remote.profiles["P9"]["properties"] == {"Theirs": 1}


def test_a_profile_that_shares_only_the_phone_is_somebody_else(connect: Connect, remote):
    """A family's phone: the child must not become the mother."""
    there(remote, email="mother@acme.test", phone="+441632960000")
    extension = connect(merge_policy="fill_empty")
    (member,) = people(extension.tenant, 1, phone="+441632960000")
    run(extension)
    assert remote.profiles["P9"]["values"] == {"email": "mother@acme.test", "phone": "+441632960000"}
    assert sent(extension, member).remote_id != "P9"


def test_a_profile_with_that_phone_alone_is_the_member(connect: Connect, remote):
    there(remote, phone="+441632960000")
    extension = connect(merge_policy="fill_empty")
    (member,) = people(extension.tenant, 1, phone="+441632960000")
    run(extension)
    assert sent(extension, member).remote_id == "P9"
