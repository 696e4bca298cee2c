"""Unlinking a list: those whom we added leave it, those who were there stay, nothing is lost on the way."""

import pytest

from integrations.errors import ConfigurationError, ListGone, RateLimited, RowsRejected, Temporary
from integrations.models import AudienceMapping, SentMembership, SyncBatch, SyncRow, SyncRun
from integrations.services import connections, course, list_endings, list_links, list_numbers, sync
from tests.factories import make_audience, make_tenant
from tests.fakes import Late
from tests.services.builders import drain, is_planned, people, put_in, run, take_out, touch
from tests.services.conftest import Connect, step

pytestmark = pytest.mark.django_db


@pytest.fixture
def gold(connect: Connect, remote):
    """Four members on the list by us, one who was there before; each has a consent that is not ours."""
    tenant = make_tenant()
    audience = make_audience(tenant)
    members = people(tenant, 5)
    remote.lists["L1"] = "Gold"
    remote.profiles["P0"] = {"values": {"external_id": "M-0", "email": "m0@acme.test"}, "properties": {}}
    remote.on_list["L1"] = ["P0"]
    put_in(audience, *members, mark=False)
    extension = connect(tenant, lists={audience: "Gold"})
    run(extension)
    remote.subscribed |= set(remote.profiles)
    assert remote.members("Gold") == ["M-0", "M-1", "M-2", "M-3", "M-4"]
    return extension, audience, members


def mapping() -> AudienceMapping:
    return AudienceMapping.objects.select_related("extension").get(list_name="Gold")


def is_unlinked() -> bool:
    return not AudienceMapping.objects.filter(list_name="Gold").exists()


def test_leaving_everybody_ends_it_at_once_and_calls_nobody(gold, remote):
    extension, _, _ = gold
    calls = len(remote.calls)
    list_links.leave_everybody(mapping())
    drain(extension)
    assert is_unlinked() and len(remote.calls) == calls
    assert len(remote.members("Gold")) == 5


def test_who_was_added_leaves_and_who_was_found_stays(gold, remote):
    extension, _, _ = gold
    subscribed = set(remote.subscribed)
    started = list_links.remove_added(mapping())
    assert started.kind == "audiences" and mapping().numbers["removing"] == 4
    drain(extension)
    assert remote.members("Gold") == ["M-0"]
    assert is_unlinked()
    assert remote.subscribed == subscribed and remote.count("erase") == 0
    started.refresh_from_db()
    assert started.status == "succeeded"


def test_it_takes_them_off_though_leavers_were_to_stay_and_though_it_was_paused(gold, remote):
    extension, _, _ = gold
    AudienceMapping.objects.update(remove_leavers=False, is_paused=True)
    list_links.remove_added(mapping())
    drain(extension)
    assert remote.members("Gold") == ["M-0"] and is_unlinked()


def test_counting_the_list_meanwhile_forgets_nothing_of_it(gold, remote):
    looked_at = mapping()
    list_links.remove_added(mapping())
    list_numbers.count(looked_at)
    assert mapping().numbers["removing"] == 4 and mapping().numbers["looked_at"] == 5
    AudienceMapping.objects.all().delete()
    list_numbers.count(looked_at)
    assert not AudienceMapping.objects.exists()


def test_asked_for_twice_it_is_done_once(gold, remote):
    extension, _, _ = gold
    list_links.remove_added(mapping())
    list_links.remove_added(mapping())
    assert SyncRun.objects.filter(kind="audiences").count() == 1
    assert mapping().numbers["removing"] == 4
    drain(extension)
    assert is_unlinked() and remote.count("leave_list") == 1


def test_who_joins_the_audience_meanwhile_is_not_put_on_the_list(gold, remote):
    extension, audience, _ = gold
    list_links.remove_added(mapping())
    put_in(audience, *people(extension.tenant, 1, start=10))
    drain(extension)
    assert remote.members("Gold") == ["M-0"] and is_unlinked()


def test_a_join_that_is_planned_is_let_go(gold, remote):
    extension, audience, _ = gold
    (new,) = people(extension.tenant, 1, start=10)
    run(extension)
    put_in(audience, new, mark=False)
    sync.start(extension, kind="full")
    while not SyncBatch.objects.filter(kind="joins", state="planned").exists():
        course.advance(extension)
    list_links.remove_added(mapping())
    drain(extension)
    assert remote.members("Gold") == ["M-0"] and is_unlinked()
    assert "M-10" not in str([call for call in remote.calls if call[0] == "join_list"])
    assert not SyncRow.objects.filter(verdict="failed").exists()


def test_who_is_on_the_way_by_an_import_leaves_after_it(gold, remote):
    extension, audience, _ = gold
    remote.holds_jobs = True
    put_in(audience, *people(extension.tenant, 130, start=100), mark=False)
    sync.start(extension, kind="full")
    while not remote.jobs:
        step(extension)
    list_links.remove_added(mapping())
    for _ in range(10):
        step(extension)
    assert not is_unlinked()  # a batch may still put people on the list
    remote.holds_jobs = False
    remote.finish_jobs()
    drain(extension)
    assert remote.members("Gold") == ["M-0"] and is_unlinked()
    assert not SentMembership.objects.exists()


def test_an_import_that_is_only_planned_takes_nobody_onto_it(gold, remote):
    extension, audience, _ = gold
    put_in(audience, *people(extension.tenant, 130, start=100), mark=False)
    sync.start(extension, kind="full")
    while not (SyncBatch.objects.filter(kind="profiles", state="planned").exists() and is_planned()):
        course.advance(extension)
    list_links.remove_added(mapping())
    drain(extension)
    (job,) = remote.jobs.values()
    assert job.list_ids == () and remote.members("Gold") == ["M-0"] and is_unlinked()


@pytest.mark.parametrize(
    "trouble",
    [Temporary("Later."), Late(Temporary("The answer was lost.")), RateLimited("Slowly.", seconds=1)],
    ids=["not done", "done, answer lost", "limit"],
)
def test_a_call_that_fails_on_the_way_is_made_again(gold, remote, trouble):
    extension, _, _ = gold
    remote.fail("leave_list", trouble)
    list_links.remove_added(mapping())
    drain(extension)
    assert remote.members("Gold") == ["M-0"] and is_unlinked()


def test_a_list_that_is_gone_ends_it_at_once(gold, remote):
    extension, _, _ = gold
    remote.checks["leave_list"] = lambda detail: ListGone("Gone.", list_id="L1")
    started = list_links.remove_added(mapping())
    drain(extension)
    started.refresh_from_db()
    assert is_unlinked() and started.status == "succeeded" and remote.count("leave_list") == 1


def test_a_connection_that_is_off_waits(gold, remote):
    extension, _, _ = gold
    connections.set_active(extension, False)
    assert list_links.remove_added(mapping()) is None
    drain(extension)
    assert not is_unlinked() and len(remote.members("Gold")) == 5
    connections.set_active(extension, True)
    drain(extension)
    list_links.remove_added(mapping())
    drain(extension)
    assert is_unlinked() and remote.members("Gold") == ["M-0"]


def test_nobody_to_take_off_is_over_at_once(gold, remote):
    SentMembership.objects.filter(origin="added").delete()
    assert list_links.remove_added(mapping()) is None
    assert is_unlinked()


def test_a_member_who_is_refused_keeps_the_link_until_it_succeeds(gold, remote):
    extension, _, _ = gold
    (stuck,) = [pk for pk, one in remote.profiles.items() if one["values"]["external_id"] == "M-2"]

    def check(detail):
        return RowsRejected("Not this one.", code="vague") if stuck in detail[1] else None

    remote.checks["leave_list"] = check
    list_links.remove_added(mapping())
    drain(extension)
    assert not is_unlinked() and list_links.added(mapping()) == 1
    remote.checks.clear()
    run(extension, kind="audiences")
    assert is_unlinked() and remote.members("Gold") == ["M-0"]
    assert not SyncRow.objects.filter(verdict="rejected", healed_at=None).exists()


def test_a_member_who_was_erased_does_not_keep_the_link(gold, remote):
    extension, _, members = gold
    list_links.remove_added(mapping())
    SentMembership.objects.filter(member__in=members).delete()
    drain(extension)
    assert is_unlinked()


def test_kept_after_all_those_who_left_are_put_back(gold, remote):
    extension, _, _ = gold
    remote.checks["leave_list"] = lambda detail: Temporary("Later.")
    list_links.remove_added(mapping())
    for _ in range(4):
        step(extension)
    remote.checks.clear()
    list_links.keep(mapping())
    drain(extension)
    assert len(remote.members("Gold")) == 5
    assert mapping().ending_at is None and not mapping().numbers
    assert SentMembership.objects.filter(origin="added").count() == 4


def test_a_leave_that_was_only_planned_is_let_go_when_it_is_kept(gold, remote):
    extension, _, _ = gold
    list_links.remove_added(mapping())
    while not SyncBatch.objects.filter(kind="leaves", state="planned").exists():
        course.advance(extension)
    list_links.keep(mapping())
    drain(extension)
    assert remote.count("leave_list") == 0 and len(remote.members("Gold")) == 5


def test_what_is_unlinked_cannot_be_kept(gold):
    extension, _, _ = gold
    row = mapping()
    list_links.remove_added(row)
    drain(extension)
    with pytest.raises(ConfigurationError, match="unlinked already"):
        list_links.keep(row)


def test_other_lists_and_other_leavers_are_as_ever(gold, remote):
    extension, audience, members = gold
    AudienceMapping.objects.create(extension=extension, audience=audience, list_name="Press")
    run(extension)
    list_links.remove_added(mapping())
    take_out(audience, members[4])
    drain(extension)
    assert remote.members("Press") == ["M-0", "M-1", "M-2", "M-3"]
    assert remote.members("Gold") == ["M-0"]


def test_a_change_of_a_member_who_left_sends_only_the_profile(gold, remote):
    extension, _, members = gold
    list_links.remove_added(mapping())
    drain(extension)
    joins = remote.count("join_list")
    touch(members[1], points_balance=77)
    drain(extension)
    assert remote.document("M-1")["Points"] == 77 and remote.count("join_list") == joins


def test_a_mapping_that_is_not_ending_is_never_finished(gold):
    extension, _, _ = gold
    SentMembership.objects.all().delete()
    assert list_endings.finish(extension.pk) == 0 and not is_unlinked()


def test_a_list_or_a_name_is_linked_once(gold, connect):
    extension, audience, _ = gold
    other = make_audience(extension.tenant, name="Silver members")
    for name, list_id, words in (("gold", "", "already"), ("Other", "L1", "in step with")):
        with pytest.raises(ConfigurationError, match=words):
            list_links.link(extension, other, name=name, list_id=list_id)
    list_links.remove_added(mapping())
    with pytest.raises(ConfigurationError, match="being unlinked"):
        list_links.link(extension, audience, name="Gold")
    made = list_links.link(extension, other, name=" Silver ", is_paused=True)
    assert (made.list_name, made.create_list, made.is_paused) == ("Silver", True, True)
