"""Running again: only what did not arrive, the whole, or everything by force."""

import pytest

from integrations.errors import ConfigurationError, Temporary
from integrations.models import Dismissal, SyncRow, SyncRun
from integrations.services import connections, course, rerun_outlook, reruns, sync
from tests.factories import make_member
from tests.services.builders import drain, happen, is_planned, people, run, touch, verdicts
from tests.services.conftest import Connect, step

pytestmark = pytest.mark.django_db


def again(extension, old, **options):
    made = reruns.create(old, **{"failed_only": True, **options})
    drain(extension)
    made.refresh_from_db()
    return made


@pytest.fixture
def partly(connect: Connect, remote):
    """A run of 120 of which M-1 and M-2 were refused and HELD has no address."""
    remote.refused_later = {"m1@acme.test", "m2@acme.test"}
    extension = connect()
    people(extension.tenant, 120)
    make_member(extension.tenant, "HELD", email="")
    ended = run(extension)
    assert (ended.sent, ended.rejected, ended.held) == (118, 2, 1)
    return extension, ended


def test_only_the_failed_are_sent_and_mend_their_rows(partly, remote):
    extension, ended = partly
    assert reruns.forecast(ended) == reruns.Forecast(members=3, events=0, healed=0)
    written = remote.count("write_profile", "submit")
    made = again(extension, ended)
    assert (made.status, made.sent, made.held) == ("succeeded", 2, 1)  # single calls are not refused
    assert verdicts(made)["HELD"] == ("held", "no_identifier")
    assert remote.count("write_profile", "submit") - written == 2
    assert SyncRow.objects.get(run=ended, member__external_id="M-1").healed_at is not None
    assert (made.parent_id, made.trigger, made.only_failed) == (ended.pk, "rerun", True)


def test_what_was_mended_by_itself_is_not_run_again(partly, remote):
    extension, ended = partly
    remote.refused_later = set()
    for name in ("M-1", "M-2"):
        member = extension.tenant.members.get(external_id=name)
        touch(member, points_balance=3)
    touch(extension.tenant.members.get(external_id="HELD"), email="held@acme.test")
    drain(extension)
    assert reruns.forecast(ended) == reruns.Forecast(members=0, events=0, healed=3)
    with pytest.raises(ConfigurationError, match="Nothing to do"):
        reruns.create(ended, failed_only=True)


def test_the_whole_again_looks_at_everybody_and_sends_what_differs(partly, remote):
    extension, ended = partly
    remote.refused_later = set()
    touch(extension.tenant.members.get(external_id="M-50"), points_balance=3)
    made = again(extension, ended, failed_only=False)
    assert (made.kind, made.sent, made.unchanged, made.held) == ("full", 3, 117, 1)


def test_force_sends_everybody(partly, remote):
    extension, ended = partly
    remote.refused_later = set()
    made = again(extension, ended, failed_only=False, force=True)
    assert (made.sent, made.held) == (120, 1)


def test_a_double_click_makes_one(partly):
    _, ended = partly
    first = reruns.create(ended, failed_only=True)
    assert reruns.create(ended, failed_only=True).pk == first.pk
    assert reruns.create(ended, failed_only=False).pk != first.pk


def test_what_cannot_be_run_again_says_why(connect: Connect):
    extension = connect()
    people(extension.tenant, 1)
    open_run = sync.start(extension, kind="full")
    with pytest.raises(ConfigurationError, match="not over yet"):
        reruns.create(open_run, failed_only=False)
    drain(extension)
    open_run.refresh_from_db()
    connections.set_active(extension, False)
    with pytest.raises(ConfigurationError, match="switched off"):
        reruns.create(SyncRun.objects.get(pk=open_run.pk), failed_only=False)


def test_a_live_runs_failures_can_be_run_again(connect: Connect, remote, settings):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    touch(member, points_balance=3)
    event = happen(member)
    remote.checks["write_profile"] = remote.checks["send_event"] = lambda _: Temporary("Down.")
    drain(extension)
    live = SyncRun.objects.get(kind="live")
    assert (live.failed, live.status) == (2, "running")
    remote.checks.clear()
    made = again(extension, live)
    assert (made.kind, made.status, made.sent) == ("changes", "succeeded", 2)
    assert remote.uids() == [str(event.uid)]
    assert remote.document("M-0")["Points"] == 3


def test_the_whole_of_a_live_run_is_everybody_whom_it_touched(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 5)
    touch(*members[:2])
    drain(extension)
    live = SyncRun.objects.get(kind="live")
    made = again(extension, live, failed_only=False, force=True)
    assert (made.kind, made.sent) == ("changes", 2)


def test_the_whole_of_a_cancelled_changes_run_has_those_who_were_let_go(connect: Connect, remote, settings):
    settings.LIVE_SINGLE_LIMIT = 0
    extension = connect()
    touch(*people(extension.tenant, 3))
    cancelled = sync.start(extension, kind="changes")
    while not is_planned():
        course.advance(extension)
    sync.cancel(cancelled, by="a person")
    drain(extension)
    assert remote.count("submit", "write_profile") == 0
    cancelled.refresh_from_db()
    assert rerun_outlook.of(cancelled).covered == 3
    assert again(extension, cancelled, failed_only=False).sent == 3


def test_the_whole_of_a_run_of_lists_is_everybody(connect: Connect):
    extension = connect()
    people(extension.tenant, 3)
    assert rerun_outlook.of(run(extension, "audiences")).covered == 3


@pytest.mark.parametrize("kind", ["full", "events"])
def test_the_whole_again_includes_events_that_failed(connect: Connect, remote, kind):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    happen(member)
    remote.checks["send_event"] = lambda _: Temporary("Down.")
    ended = run(extension, kind)
    assert ended.failed == 1
    remote.checks.clear()
    again(extension, ended, failed_only=False)
    assert len(remote.events) == 1


def test_an_events_run_of_which_all_arrived_has_nothing_to_run_again(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    happen(member)
    ended = run(extension, "events")
    happen(member)
    made = reruns.create(ended, failed_only=False)
    while course.advance(extension):
        pass
    made.refresh_from_db()
    assert (made.status, made.sent, len(remote.events)) == ("succeeded", 0, 1)


def test_a_refused_row_is_tried_again_by_a_re_run_and_by_nothing_else(partly, remote):
    extension, ended = partly
    step(extension)
    calls = len(remote.calls)
    run(extension)
    assert len(remote.calls) == calls
    assert again(extension, ended).sent == 2


def test_a_mended_row_names_the_run_that_mended_it(partly, remote):
    extension, ended = partly
    made = again(extension, ended)
    rows = SyncRow.objects.filter(run=ended, member__external_id__in=["M-1", "M-2"])
    assert set(rows.values_list("healed_by_id", flat=True)) == {made.pk}


def test_an_event_that_arrives_later_names_the_run_that_mended_it(connect: Connect, remote):
    extension = connect()
    (member,) = people(extension.tenant, 1)
    happen(member)
    remote.checks["send_event"] = lambda _: Temporary("Down.")
    ended = run(extension, "events")
    remote.checks.clear()
    made = again(extension, ended)
    assert SyncRow.objects.get(run=ended).healed_by_id == made.pk


def test_what_a_person_put_aside_is_not_run_again(partly):
    extension, ended = partly
    aside = Dismissal.objects.create(extension=extension, code="invalid", note="They left", rows=2)
    SyncRow.objects.filter(run=ended, verdict="rejected").update(dismissal=aside)
    assert reruns.forecast(ended).members == 1


def test_the_whole_of_a_changes_run_is_what_it_touched_and_not_who_is_due_now(connect: Connect, remote):
    extension = connect()
    members = people(extension.tenant, 3)
    run(extension)
    touch(members[0], points_balance=3)
    ended = run(extension, "changes")
    assert ended.sent == 1
    made = again(extension, ended, failed_only=False, force=True)
    assert (made.member_ids, made.sent) == ([members[0].pk], 1)
