"""One bad row never holds the others, however the destination refuses."""

import math
from dataclasses import replace

import pytest
from django.utils import timezone

from integrations.errors import RateLimited, Refusal, RowsRejected, TooLarge
from integrations.models import SentProfile, SyncBatch, SyncRow
from integrations.planning import desired
from integrations.services import sync
from tests.factories import make_member
from tests.services.builders import drain, happen, people, run, sent, touch, verdicts
from tests.services.conftest import Connect, step

pytestmark = pytest.mark.django_db


def unnamed(*bad):
    """A check that refuses every body with one of these addresses, without saying which."""

    def check(detail):
        _, content = detail
        emails = {row.get("profile", row)["values"].get("email") for row in content["rows"]}
        return RowsRejected("Some row is wrong.", code="vague") if emails & set(bad) else None

    return check


def test_rows_named_by_place_are_dropped_and_the_rest_goes(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 120)
    for name in ("A", "B"):
        make_member(extension.tenant, name, email=f"no-at-{name.lower()}")
    ended = run(extension)
    assert (ended.status, ended.sent, ended.rejected, ended.accepted) == ("partly_failed", 120, 2, 0)
    assert verdicts(ended)["A"] == verdicts(ended)["B"] == ("rejected", "invalid")
    assert remote.count("submit") == 2
    assert len(remote.profiles) == 120


def test_rows_refused_by_the_job_over_all_pages(connect: Connect, remote):
    remote.refused_later = {f"m{n}@acme.test" for n in range(130)}
    extension = connect()
    people(extension.tenant, 150)
    ended = run(extension)
    assert (ended.sent, ended.rejected) == (20, 130)
    assert SyncRow.objects.filter(verdict="rejected", words="Nobody lives here.").count() == 130


@pytest.mark.parametrize("bad", [(0,), (255,), (3, 200), (10, 11, 130)])
def test_nobody_named_is_halved_down_to_the_single_row(connect: Connect, remote, bad):
    extension = connect()
    people(extension.tenant, 256)
    remote.checks["submit"] = unnamed(*[f"m{n}@acme.test" for n in bad])
    ended = run(extension)
    assert (ended.status, ended.sent, ended.rejected) == ("partly_failed", 256 - len(bad), len(bad))
    assert {name for name, found in verdicts(ended).items() if found == ("rejected", "vague")} == {
        f"M-{n}" for n in bad
    }
    assert remote.count("submit") <= 2 * len(bad) * math.log2(256) + 2
    assert not SentProfile.objects.filter(in_flight__isnull=False).exists()
    assert len(remote.profiles) == 256 - len(bad)


def test_a_body_that_is_too_large_is_halved(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 200)
    remote.checks["submit"] = lambda detail: TooLarge("Too large.") if len(detail[1]["rows"]) > 60 else None
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 200)
    assert remote.count("submit") == 3 + 4


def test_bodies_are_cut_at_the_limit_of_bytes(connect: Connect, fake):
    fake.limits = replace(fake.limits, body_bytes=5_000)
    extension = connect(fields={"attributes.text": "Text"})
    people(extension.tenant, 120, attributes={"text": "ü" * 100})
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 120)
    assert all(len(body) <= 5_000 for body in fake.remote.bodies)
    assert len(fake.remote.bodies) <= 12
    assert len(fake.remote.profiles) == 120


@pytest.mark.parametrize("others", [0, 150])
def test_a_row_that_is_too_large_is_held_and_the_others_go(connect: Connect, remote, others):
    """In single calls as in jobs."""
    extension = connect(fields={"attributes.text": "Text"})
    make_member(extension.tenant, "BIG", attributes={"text": "x" * 100_001})
    make_member(extension.tenant, "SMALL", attributes={"text": "x"})
    people(extension.tenant, others)
    ended = run(extension)
    assert (ended.status, ended.sent, ended.held) == ("succeeded", 1 + others, 1)
    assert verdicts(ended)["BIG"] == ("held", "row_too_large")
    assert SyncRow.objects.get(verdict="held").words == desired.HOLD_WORDS["row_too_large"]
    assert remote.document("SMALL")["Text"] == "x"


def test_events_that_are_refused_hold_no_others(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 128)
    for member in members:
        happen(member)
    remote.checks["submit"] = unnamed("m7@acme.test")
    ended = run(extension, "events")
    assert (ended.status, ended.sent, ended.rejected) == ("partly_failed", 127, 1)
    assert len(remote.events) == 127
    assert members[7].events.get().deliveries.get().state == "rejected"
    assert remote.count("submit") <= 2 * math.log2(128) + 2


def test_an_event_that_is_too_large_holds_no_others(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 3)
    for member in members:
        happen(member)
    bad = str(members[1].events.get().uid)
    remote.checks["send_event"] = lambda write: TooLarge("Too large.") if write.uid == bad else None
    ended = run(extension, "events")
    assert (ended.sent, ended.rejected) == (2, 1)
    assert remote.count("send_event") == 3


def with_a_stranger(remote, monkeypatch, *numbers):
    """Jobs leave out the rows with these numbers, and tell it of somebody whom nobody knows."""
    work, bad = remote.work, {f"m{number}@acme.test" for number in numbers}

    def leave_out(job):
        refused = [row for row in job.rows if row.values["email"] in bad]
        job.rows = [row for row in job.rows if row not in refused]
        work(job)
        job.rows += refused
        job.refusals += [Refusal("odd", "Who?", identifiers=("stranger@acme.test",))] * max(1, len(refused))

    monkeypatch.setattr(remote, "work", leave_out)


def test_after_a_refusal_that_nobody_can_be_tied_to_all_are_read_back(connect: Connect, remote, monkeypatch):
    extension = connect()
    members = people(extension.tenant, 250)
    with_a_stranger(remote, monkeypatch, 3, 200)
    ended = run(extension)
    assert (ended.status, ended.sent, ended.failed) == ("partly_failed", 248, 2)
    assert verdicts(ended)["M-3"] == verdicts(ended)["M-200"] == ("failed", "not_there")
    batch = SyncBatch.objects.get()
    assert batch.code == "untied_refusals" and "2 could not be tied" in batch.words
    assert remote.count("submit") == 1
    assert remote.count("read_profiles") == 3 + 2 * 1  # by external id; the two by e-mail too
    assert sent(extension, members[3]).payload is None
    monkeypatch.undo()
    assert run(extension).sent == 2
    assert not SyncRow.objects.exclude(verdict="sent").filter(healed_at=None).exists()


def test_a_stranger_among_the_refused_fails_nobody_who_is_there(connect: Connect, remote, monkeypatch):
    extension = connect()
    people(extension.tenant, 120)
    with_a_stranger(remote, monkeypatch)
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 120)
    assert SyncBatch.objects.get().code == "untied_refusals"


def test_who_is_there_without_the_new_values_has_not_arrived(connect: Connect, remote, monkeypatch):
    extension = connect()
    members = people(extension.tenant, 120)
    run(extension)
    touch(*members, points_balance=7)
    with_a_stranger(remote, monkeypatch, 3)
    ended = run(extension, "changes")
    assert (ended.sent, ended.failed) == (119, 1)
    assert verdicts(ended)["M-3"] == ("failed", "not_updated")
    monkeypatch.undo()
    assert run(extension).sent == 1
    assert remote.document("M-3")["Points"] == 7


def test_a_limit_while_reading_back_repeats_the_look_and_nothing_else(connect: Connect, remote, monkeypatch):
    extension = connect()
    people(extension.tenant, 120)
    with_a_stranger(remote, monkeypatch, 3)
    remote.fail("read_profiles", RateLimited("Slowly.", seconds=1))
    ended = run(extension)
    assert (ended.sent, ended.failed, remote.count("submit")) == (119, 1, 1)


def test_a_passing_trouble_of_the_job_is_no_refusal_and_goes_again(connect: Connect, remote, monkeypatch):
    extension = connect()
    members = people(extension.tenant, 120)
    work = remote.work

    def with_a_hiccup(job):
        row = job.rows.pop(5)
        work(job)
        job.rows.append(row)
        job.refusals.append(Refusal("internal_error", "Later.", identifiers=("M-5",), permanent=False))

    monkeypatch.setattr(remote, "work", with_a_hiccup)
    started = sync.start(extension, kind="full")
    for _ in range(4):
        step(extension)
    started.refresh_from_db()
    assert (started.status, started.sent, started.failed) == ("partly_failed", 119, 1)
    profile = sent(extension, members[5])
    assert (profile.verdict, profile.refused, profile.failures) == ("failed", None, 1)
    assert profile.due_at is not None and profile.not_before > timezone.now()
    SentProfile.objects.update(not_before=None)
    drain(extension)
    assert remote.document("M-5")
    assert not SyncRow.objects.exclude(verdict="sent").filter(healed_at=None).exists()


def test_a_trouble_that_does_not_pass_is_not_tried_for_ever(connect: Connect, remote, monkeypatch, settings):
    settings.LIVE_SINGLE_LIMIT = 0

    def always(job):
        name = str(job.rows[0].values["external_id"])
        job.refusals.append(Refusal("internal_error", "Later.", identifiers=(name,), permanent=False))
        job.state = "complete"

    monkeypatch.setattr(remote, "work", always)
    extension = connect()
    (member,) = people(extension.tenant, 1)
    run_to_the_end(extension)
    assert remote.count("submit") == 1 + settings.BATCH_ATTEMPTS
    assert sent(extension, member).due_at is None


def run_to_the_end(extension):
    sync.start(extension, kind="full")
    for _ in range(40):
        SentProfile.objects.update(not_before=None)
        step(extension)


def test_identity_conflicts_in_a_job_refuse_their_row(connect: Connect, remote):
    extension = connect()
    remote.profiles["P9"] = {"values": {"external_id": "M-3", "email": "old@acme.test"}, "properties": {}}
    remote.profiles["P8"] = {"values": {"email": "m3@acme.test"}, "properties": {}}
    members = people(extension.tenant, 120)
    ended = run(extension)
    assert (ended.sent, ended.rejected) == (119, 1)
    assert verdicts(ended)["M-3"] == ("rejected", "identity_conflict")
    assert sent(extension, members[3]).payload is None
