"""What an answer means: wait, try again, give up, or ask a person. Nothing is lost by any of it."""

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.errors import (
    AuthenticationError,
    ConfigurationError,
    RateLimited,
    ScopeMissing,
    Temporary,
    UnexpectedAnswer,
)
from integrations.models import (
    AudienceMapping,
    Delivery,
    Extension,
    Health,
    SyncBatch,
    SyncRow,
    SyncRun,
)
from integrations.services import connections, course, health, reruns, sync
from tests.factories import make_audience, make_tenant
from tests.fakes import Late
from tests.services.builders import drain, happen, is_planned, people, put_in, run, sent, touch
from tests.services.conftest import Connect, step

pytestmark = pytest.mark.django_db
PERSON = [
    AuthenticationError("The key is gone."),
    ScopeMissing("May not.", scope="lists:write"),
    ConfigurationError("Wrong form."),
]


@pytest.mark.parametrize("count", [3, 130])
@pytest.mark.parametrize("error", PERSON, ids=lambda error: error.code)
def test_the_run_waits_for_a_person_and_goes_on_when_it_is_mended(connect: Connect, remote, count, error):
    extension = connect()
    people(extension.tenant, count)
    method = "submit" if count > 100 else "write_profile"
    remote.fail(method, *([] if count > 100 else [None]), error)
    started = sync.start(extension, kind="full")
    drain(extension)
    started.refresh_from_db()
    assert (extension.health, extension.health_reason) == ("attention", error.words)
    assert (started.status, started.note) == ("waiting", error.words)
    calls = len(remote.calls)
    for _ in range(3):
        step(extension)
    assert len(remote.calls) == calls
    assert not SyncBatch.objects.filter(attempts__gt=1).exists()

    connections.check(extension)
    drain(extension)
    started.refresh_from_db()
    assert (started.status, started.note, started.sent) == ("succeeded", "", count)
    assert len(remote.profiles) == count


def test_a_run_waits_where_its_lists_cannot_be_found(connect: Connect, remote):
    tenant = make_tenant()
    extension = connect(tenant, lists={make_audience(tenant): "Gold"})
    remote.fail("lists", AuthenticationError("The key is gone."))
    started = sync.start(extension, kind="full")
    drain(extension)
    started.refresh_from_db()
    assert (started.status, started.note) == ("waiting", "The key is gone.")
    connections.check(extension)
    step(extension)
    started.refresh_from_db()
    assert started.status == "succeeded"


def test_a_temporary_failure_of_a_step_is_noted_and_forgotten(connect: Connect, remote):
    tenant = make_tenant()
    extension = connect(tenant, lists={make_audience(tenant): "Gold"})
    remote.fail("lists", Temporary("Down."))
    started = sync.start(extension, kind="full")
    tasks.work_bulk(extension.pk)
    started.refresh_from_db()
    assert (started.status, started.note) == ("running", "Down.")
    drain(extension)
    started.refresh_from_db()
    assert (started.status, started.note) == ("succeeded", "")


@pytest.mark.parametrize("method", ["submit", "poll", "refusals"])
def test_a_rate_limit_is_no_attempt(connect: Connect, remote, method):
    extension = connect()
    people(extension.tenant, 120)
    remote.fail(method, *[RateLimited("Slow down.", seconds=30)] * 20)
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 120)
    assert SyncBatch.objects.get().attempts == 1


def test_a_rate_limit_of_single_calls_keeps_what_is_done(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 10)
    remote.fail("write_profile", *[None] * 4, *[RateLimited("Slow down.", seconds=30)] * 12)
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 10)
    assert remote.count("write_profile") == 10 + 12
    assert max(SyncBatch.objects.values_list("attempts", flat=True)) == 1


@pytest.mark.parametrize(
    "error", [Temporary("Down."), UnexpectedAnswer("What?")], ids=lambda error: error.code
)
@pytest.mark.parametrize("count", [2, 120])
def test_a_failure_is_tried_again_and_given_up_in_the_end(connect: Connect, remote, settings, error, count):
    extension = connect()
    members = people(extension.tenant, count)
    method = "submit" if count > 100 else "write_profile"
    remote.checks[method] = lambda _: error
    ended = run(extension)
    assert (ended.status, ended.failed, ended.sent) == ("failed", count, 0)
    batch = SyncBatch.objects.filter(state="dead").get()
    assert (batch.attempts, batch.code) == (settings.BATCH_ATTEMPTS, error.code)
    row = SyncRow.objects.filter(run=ended).first()
    assert (row.verdict, row.code) == ("failed", error.code) and error.words in row.words
    assert sent(extension, members[0]).in_flight is None

    remote.checks.clear()
    again = reruns.create(ended, failed_only=True)
    drain(extension)
    again.refresh_from_db()
    assert (again.status, again.sent) == ("succeeded", count)
    assert not SyncRow.objects.filter(verdict="failed", healed_at=None).exists()


@pytest.mark.parametrize("kind", ["full", "events"])
def test_an_answer_that_was_lost_sends_nothing_twice(connect: Connect, remote, kind):
    extension = connect()
    for member in people(extension.tenant, 120):
        happen(member)
    remote.fail("submit", Late(Temporary("The answer was lost.")))
    ended = run(extension, kind)
    assert ended.status == "succeeded"
    assert (len(remote.profiles), len(remote.events)) == (120, 120)
    assert len(set(remote.uids())) == 120


def test_a_cancelled_job_is_sent_again_as_another_attempt(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 120)
    remote.holds_jobs = True
    started = sync.start(extension, kind="full")
    step(extension)
    started.refresh_from_db()
    assert started.accepted == 120
    remote.jobs["J000001"].state = "cancelled"
    remote.holds_jobs = False
    drain(extension)
    started.refresh_from_db()
    assert (started.status, started.sent, started.accepted) == ("succeeded", 120, 0)
    assert SyncBatch.objects.get().attempts == 2


def test_a_job_without_an_end_is_given_up_after_hours(connect: Connect, remote, settings):
    extension = connect()
    people(extension.tenant, 120)
    remote.holds_jobs = True
    started = sync.start(extension, kind="full")
    step(extension)
    settings.POLL_DEADLINE_HOURS = 0
    drain(extension)
    started.refresh_from_db()
    assert (started.status, started.failed, started.accepted) == ("failed", 120, 0)
    assert SyncBatch.objects.get().code == "job_overdue"


def test_a_failed_look_is_no_attempt(connect: Connect, remote):
    extension = connect()
    people(extension.tenant, 120)
    remote.fail("poll", *[Temporary("Down.")] * 15)
    ended = run(extension)
    assert (ended.status, ended.sent) == ("succeeded", 120)
    assert SyncBatch.objects.get().attempts == 1


def test_when_everything_fails_the_rest_is_not_tried(connect: Connect, remote):
    """Three failures in a row are the destination's, not the rows'."""
    extension = connect()
    people(extension.tenant, 50)
    remote.fail("write_profile", None, *[Temporary("Down.")] * 3)
    sync.start(extension, kind="full")
    step(extension)
    assert remote.count("write_profile") == 4
    assert SyncBatch.objects.filter(state="planned").get().rows == 49
    drain(extension)
    assert len(remote.profiles) == 50


# Lists ----------------------------------------------------------------------------------------------


def listed(connect, count, **options):
    tenant = make_tenant()
    gold, press = make_audience(tenant, "gold"), make_audience(tenant, "press")
    extension = connect(tenant, lists={gold: "Gold", press: "Press"}, **options)
    members = people(tenant, count)
    for audience in (gold, press):
        put_in(audience, *members, mark=False)
    return extension, gold, members


@pytest.mark.parametrize("count", [3, 120])
def test_a_list_that_is_gone_is_shown_and_holds_nobody(connect: Connect, remote, count):
    extension, gold, _ = listed(connect, 1)
    run(extension)
    (list_id,) = [key for key, name in remote.lists.items() if name == "Gold"]
    new = people(extension.tenant, count, start=500)
    for audience in (gold, gold.tenant.audiences.get(slug="press")):
        put_in(audience, *new, mark=False)
    del remote.lists[list_id]
    ended = run(extension)
    assert ended.status == "partly_failed"
    assert "“Gold” does not exist" in ended.note
    mapping = AudienceMapping.objects.get(list_name="Gold")
    assert "does not exist" in mapping.problem
    assert len(remote.members("Press")) == 1 + count
    assert len(remote.profiles) == 1 + count
    assert mapping.memberships.count() == 1


def test_two_batches_for_a_list_that_is_gone_claim_no_memberships(connect: Connect, remote, fake, settings):
    from dataclasses import replace

    settings.LIVE_SINGLE_LIMIT = 0
    extension, _, _ = listed(connect, 6)
    fake.limits = replace(fake.limits, profiles_per_job=3)
    sync.start(extension, kind="full")
    while not is_planned():
        course.advance(extension)
    (list_id,) = [key for key, name in remote.lists.items() if name == "Gold"]
    del remote.lists[list_id]
    drain(extension)
    assert len(remote.members("Press")) == 6
    assert AudienceMapping.objects.get(list_name="Gold").memberships.count() == 0
    assert AudienceMapping.objects.get(list_name="Press").memberships.count() == 6


def test_an_outdated_id_is_looked_up_again_for_the_list_call(connect: Connect, remote):
    extension, gold, _ = listed(connect, 3)
    run(extension)
    new = people(extension.tenant, 2, start=10)
    run(extension)
    put_in(gold, *new)
    old = sent(extension, new[0]).remote_id
    remote.profiles["PNEW"] = remote.profiles.pop(old)
    drain(extension)
    assert "M-10" in remote.members("Gold") and "M-11" in remote.members("Gold")
    assert sent(extension, new[0]).remote_id == "PNEW"


def test_a_joiner_whose_profile_was_deleted_there_is_sent_again_and_joins(connect: Connect, remote):
    extension, gold, _ = listed(connect, 1)
    (new,) = people(extension.tenant, 1, start=10)
    run(extension)
    remote.profiles.pop(sent(extension, new).remote_id)
    put_in(gold, new)
    drain(extension)
    assert "M-10" in remote.members("Gold")
    assert not SyncRow.objects.exclude(verdict="sent").filter(healed_at=None).exists()


def test_a_leaver_who_is_gone_there_is_off_the_list(connect: Connect, remote):
    from tests.services.builders import take_out

    extension, gold, members = listed(connect, 2)
    run(extension)
    gone = sent(extension, members[0]).remote_id
    remote.profiles.pop(gone)
    for there in remote.on_list.values():
        there[:] = [pk for pk in there if pk != gone]
    take_out(gold, *members)
    drain(extension)
    assert remote.members("Gold") == []
    assert set(SyncRow.objects.filter(action="left").values_list("verdict", flat=True)) == {"sent"}


def test_a_mapping_that_was_removed_meanwhile_fails_its_rows(connect: Connect, remote):
    extension, gold, _ = listed(connect, 2)
    run(extension)
    (new,) = people(extension.tenant, 1, start=10)
    run(extension)
    put_in(gold, new, mark=False)
    sync.start(extension, kind="full")
    while not SyncBatch.objects.filter(kind="joins", state="planned").exists():
        course.advance(extension)
    AudienceMapping.objects.filter(list_name="Gold").delete()
    drain(extension)
    assert SyncRow.objects.get(code="mapping_gone").verdict == "failed"


def test_two_lists_of_one_name_need_a_person(connect: Connect, remote):
    remote.lists.update({"L1": "Gold", "L2": "Gold"})
    extension, _, _ = listed(connect, 1)
    ended = run(extension)
    assert ended.status == "partly_failed" and "2 lists called “Gold”" in ended.note
    assert remote.members("Press") == ["M-0"]


def test_a_missing_list_is_made_once_or_asked_for(connect: Connect, remote):
    extension, _, _ = listed(connect, 1)
    AudienceMapping.objects.filter(list_name="Press").update(create_list=False)
    remote.fail("create_list", Late(Temporary("The answer was lost.")))
    ended = run(extension)
    assert list(remote.lists.values()) == ["Gold"]
    assert remote.members("Gold") == ["M-0"]
    assert "no list called “Press”" in ended.note


def test_a_long_list_is_read_on_where_it_stopped(connect: Connect, remote, monkeypatch):
    from integrations.services import mirror

    extension, _, _ = listed(connect, 250)
    AudienceMapping.objects.exclude(list_name="Gold").delete()
    remote.lists["L1"] = "Gold"
    for number in range(250):
        values = [{"external_id": f"M-{number}"}, {"email": f"M{number}@ACME.test"}][number % 2]
        remote.profiles[f"X{number}"] = {"values": values, "properties": {}}
        remote.join("L1", [f"X{number}"])
    remote.fail("list_page", None, Temporary("Down."))
    monkeypatch.setattr(mirror, "READING_SECONDS", -1)
    sync.start(extension, kind="full")
    while AudienceMapping.objects.filter(read_at=None).exists():
        tasks.work_bulk(extension.pk)
    assert [detail[1] for method, detail in remote.calls if method == "list_page"] == [
        "",
        "100",
        "100",
        "200",
    ]
    assert AudienceMapping.objects.get().memberships.filter(origin="found").count() == 250


# Off and on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("waiting", "told"), [("history", 3), ("discard", 0)])
def test_off_stops_everything_and_on_starts_no_flow(connect: Connect, remote, waiting, told):
    extension = connect()
    members = people(extension.tenant, 3)
    run(extension)
    happen(members[0])  # on its way when it is switched off
    remote.fail("send_event", Temporary("Down."))
    step(extension)
    assert SyncBatch.objects.filter(kind="single_events").exclude(state="settled").exists()
    happen(members[1])
    connections.set_active(extension, False)
    happen(members[2])
    touch(members[0], points_balance=5)
    calls = len(remote.calls)
    step(extension)
    assert len(remote.calls) == calls
    connections.set_active(extension, True, waiting)
    drain(extension)
    assert [event.history for event in remote.events] == [True] * told
    run(extension)
    assert remote.document("M-0")["Points"] == 5
    assert len(remote.events) == told
    assert Delivery.objects.filter(state="sent").count() == told


def test_a_step_that_fails_is_tried_ever_more_rarely(connect: Connect, remote):
    extension, _, _ = listed(connect, 1)
    remote.fail("lists", *[Temporary("Down.")] * 3)
    started = sync.start(extension, kind="full")
    waits = []
    for _ in range(30):
        SyncRun.objects.update(not_before=None)
        tasks.work_bulk(extension.pk)
        started.refresh_from_db()
        if started.not_before:
            waits.append((started.not_before - timezone.now()).total_seconds())
        if len(waits) == 3:
            break
    assert waits[0] < waits[1] < waits[2]
    assert started.note == "Down."
    tasks.work_bulk(extension.pk)
    assert SyncRun.objects.get().failures == 3  # it waits
    drain(extension)
    assert (SyncRun.objects.get().status, SyncRun.objects.get().failures) == ("succeeded", 0)


def test_who_was_refused_with_the_key_of_before_says_nothing_of_the_new_one(connect: Connect):
    """A call was on its way with the old key while somebody stored another."""
    extension = connect()
    late = Extension.objects.get(pk=extension.pk)
    connections.store_key(extension, "key2")
    connections.check(extension)
    health.attention(late, AuthenticationError("The key is no longer accepted."))
    extension.refresh_from_db()
    assert extension.health == Health.OK
    health.attention(extension, AuthenticationError("The key is no longer accepted."))
    assert Extension.objects.get().health == Health.ATTENTION
