"""Why? One member and one connection, from the headline to the line of time."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.errors import AuthenticationError
from integrations.models import Delivery, FieldMapping, SentMembership, SentProfile, SyncRun
from integrations.planning import desired
from integrations.services import connections, member_compare, member_now, member_standing, member_story
from loyalty.models import ConsentRecord, DirtyMember, PointsEntry
from tests.factories import make_audience, make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_row, make_run
from tests.services.builders import drain, happen, people, put_in, run, take_out, touch
from tests.services.conftest import connect, fake, one_beat, remote  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager"))
    return tenant


@pytest.fixture
def fixed(connect, tenant):  # noqa: F811
    """A member who arrived by a full run, on a connection with one property and one list."""
    audience = make_audience(tenant, "gold")
    extension = connect(tenant, lists={audience: "VIP"})
    (member,) = people(tenant, 1, first_name="Ann")
    put_in(audience, member)
    run(extension)
    return extension, member


def address(member, name="why") -> str:
    return f"/t/acme/members/{member.pk}/{name}/"


def plain(answer) -> str:
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def said(extension, member):
    return member_story.headline(member_standing.of(extension, member))


# The answer ---------------------------------------------------------------------------------------


def test_who_arrived_is_told_with_the_run(fixed):
    extension, member = fixed
    found = said(extension, member)
    assert (found.look, found.run_id) == ("good", SyncRun.objects.get(kind="full").pk)
    assert "Ann has arrived at Fake as it should be" in found.words


def test_a_property_that_is_left_there_makes_no_difference(fixed):
    extension, member = fixed
    FieldMapping.objects.create(extension=extension, field="first_name", property="First")
    run(extension)
    FieldMapping.objects.get(property="First").delete()
    assert said(extension, member).look == "good"
    line = line_of(extension, member, "First")
    assert (line.state, line.words) == ("quiet", "not mapped any more, left there")
    extension.retired_properties.create(property="First")
    assert said(extension, member).look == "attention"
    assert line_of(extension, member, "First").words == "differs"


@pytest.mark.parametrize("code", sorted(member_story.HELD))
def test_every_reason_to_hold_has_its_words_and_a_step(code):
    assert code in desired.HOLD_WORDS and all(member_story.HELD[code])


def test_who_has_no_address_is_held_back_and_told_what_to_correct(fixed):
    extension, member = fixed
    touch(member, email="")
    found = said(extension, member)
    assert found.look == "held" and "no usable e-mail address" in found.words
    assert "Correct one of them in your shop" in found.next_step


def test_who_was_refused_is_told_why(fixed, remote):  # noqa: F811
    extension, member = fixed
    remote.refused_later = {"m0@acme.test"}
    others = people(extension.tenant, 120, start=1)
    touch(member, *others, points_balance=7)
    run(extension, "changes")
    found = said(extension, member)
    assert (
        found.look == "bad" and "Nobody lives here." in found.words and "Correct the data" in found.next_step
    )


def test_a_change_that_waits_says_since_when(fixed):
    extension, member = fixed
    SentProfile.objects.update(due_at=timezone.now() - timedelta(minutes=3))
    found = said(extension, member)
    assert found.look == "busy" and "waits to be sent since 3 min" in found.words


def test_a_change_of_now_waits_too(fixed):
    extension, member = fixed
    DirtyMember.objects.create(tenant_id=member.tenant_id, member_id=member.pk)
    assert "waits to be sent" in said(extension, member).words


def test_another_try_says_when(fixed):
    extension, member = fixed
    now = timezone.now()
    SentProfile.objects.update(due_at=now, not_before=now + timedelta(minutes=2), failures=3)
    found = said(extension, member)
    assert "after 3 tries" in found.words and found.next_step == "It is sent by itself in about 2 minutes."


def test_a_connection_that_is_off_is_the_reason(fixed):
    extension, member = fixed
    connections.set_active(extension, False)
    assert "is switched off, so nothing is sent" in said(extension, member).words


def test_a_connection_that_needs_attention_is_the_reason_only_where_something_waits(fixed):
    extension, member = fixed
    extension.health, extension.health_reason = "attention", "The key is gone."
    extension.save()
    assert said(extension, member).look == "good"
    touch(member, points_balance=9)
    assert "needs attention: The key is gone." in said(extension, member).words


def test_who_is_on_the_way_names_the_run(fixed):
    extension, member = fixed
    batch = SyncRun.objects.get(kind="full").batches.order_by("pk").first()
    SentProfile.objects.update(in_flight=batch.pk)
    type(batch).objects.update(state="accepted")
    found = said(extension, member)
    assert (found.look, found.run_id) == ("busy", batch.run_id) and "is working on it" in found.words


def test_who_was_never_sent_is_told_so(connect, tenant):  # noqa: F811
    extension = connect(tenant)
    (member,) = people(tenant, 1)
    assert "was never sent to Fake" in said(extension, member).words


def test_what_differs_without_being_due_is_told(fixed):
    extension, member = fixed
    type(member).objects.filter(pk=member.pk).update(points_balance=99)
    assert "something is different" in said(extension, member).words


@pytest.mark.parametrize(
    ("consent", "words"), [("", "no, never asked"), ("granted", "yes"), ("revoked", "no, they took it back")]
)
def test_consent_stands_in_words(client, fixed, consent, words):
    _, member = fixed
    type(member).objects.filter(pk=member.pk).update(email_consent=consent)
    assert f"May receive e-mail: {words}" in plain(client.get(address(member)))


# Line by line -------------------------------------------------------------------------------------


def line_of(extension, member, label, theirs=None):
    lines = member_compare.lines(member_standing.of(extension, member), theirs)
    (found,) = [line for line in lines if line.label == label]
    return found


def test_what_arrived_is_as_sent_and_what_changed_waits(fixed):
    extension, member = fixed
    assert line_of(extension, member, "Points").words == "as sent"
    touch(member, points_balance=7)
    line = line_of(extension, member, "Points")
    assert (line.wanted, line.sent, line.words) == (7, 0, "waits to be sent")
    assert (line.source, line.policy) == ("Points balance", "ours always wins")


def test_what_a_policy_kept_is_told(fixed):
    extension, member = fixed
    extension.field_mappings.update(policy="keep_theirs")
    SentProfile.objects.update(kept={".Points": 500})
    line = line_of(extension, member, "Points", {".Points": 500})
    assert (line.words, line.now_words) == ("kept theirs by policy", "kept theirs by policy")
    assert line.policy == "theirs stays once there is one"


def test_what_is_mapped_no_more_still_stands(fixed):
    extension, member = fixed
    FieldMapping.objects.all().delete()
    line = line_of(extension, member, "Points")
    assert (line.wanted, line.sent) == (None, 0)


@pytest.mark.parametrize(
    ("theirs", "words"),
    [({".Points": 0}, "as it should be"), ({".Points": 4}, "differs"), ({}, "missing there")],
)
def test_what_is_there_now_is_compared_in_words(fixed, theirs, words):
    extension, member = fixed
    assert line_of(extension, member, "Points", theirs).now_words == words


# Reading now --------------------------------------------------------------------------------------


def test_the_page_alone_reads_nothing(client, fixed, remote):  # noqa: F811
    _, member = fixed
    before = len(remote.calls)
    page = plain(client.get(address(member)))
    assert len(remote.calls) == before and "not read" in page


def test_reading_now_is_one_call_and_marks_what_differs(client, fixed, remote):  # noqa: F811
    _, member = fixed
    (profile,) = remote.profiles.values()
    profile["properties"]["Points"] = 4
    before = remote.count("read_profiles")
    answer = client.get(address(member, "now"), headers={"HX-Request": "true"})
    page = plain(answer)
    assert remote.count("read_profiles") - before == 1
    assert "differs" in page and "<html" not in answer.content.decode() and "Read just now" in page


def test_without_scripts_reading_now_is_a_page(client, fixed):
    _, member = fixed
    assert "<html" in client.get(address(member, "now")).content.decode()


def test_a_reading_that_fails_says_so_in_words(client, fixed, remote):  # noqa: F811
    _, member = fixed
    remote.fail("read_profiles", AuthenticationError("This key is not accepted."))
    page = plain(client.get(address(member, "now"), headers={"HX-Request": "true"}))
    assert "could not be read" in page and "This key is not accepted." in page


def test_nobody_there_is_told(client, fixed, remote):  # noqa: F811
    _, member = fixed
    remote.profiles.clear()
    page = plain(client.get(address(member, "now"), headers={"HX-Request": "true"}))
    assert "Fake has no profile of this person" in page


def test_without_a_key_reading_says_what_to_do(client, tenant):
    extension = make_extension(tenant, secret=None)
    member = make_member(tenant)
    found = member_now.read(member_standing.of(extension, member))
    assert "not connected yet" in found.error


# Lists, events, time ------------------------------------------------------------------------------


def test_a_list_says_whether_and_why(client, fixed):
    extension, member = fixed
    mapping = extension.audience_mappings.get()
    page = client.get(address(member)).content.decode()
    assert "On the list, put there by us" in page
    assert f"/t/acme/audiences/{mapping.audience_id}/why/?member={member.pk}" in page
    SentMembership.objects.all().delete()
    extension.audience_mappings.update(is_paused=True)
    assert "this link is paused" in plain(client.get(address(member)))
    take_out(mapping.audience, member, mark=False)
    assert "Not on the list, as it should be" in plain(client.get(address(member)))


def test_an_event_says_why_it_did_not_arrive(client, fixed):
    extension, member = fixed
    happen(member)
    drain(extension)
    Delivery.objects.update(state="rejected", words="The metric is closed.")
    page = plain(client.get(address(member)))
    assert "The metric is closed." in page and "1 event of theirs has not arrived" in page


def test_everything_stands_in_the_order_of_its_times(client, fixed):
    _, member = fixed
    now = timezone.now()
    PointsEntry.objects.create(
        tenant=member.tenant, member=member, kind="earn", points=120, balance_after=120, reason="Order 1001",
        idempotency_key="k", fingerprint="x", occurred_at=now + timedelta(hours=1),
    )  # fmt: skip
    ConsentRecord.objects.create(
        member=member, channel="email", status="granted", source="form", given_at=now - timedelta(days=3)
    )
    page = plain(client.get(address(member)))
    told = page[page.index("Everything that happened") :]
    assert told.index("Order 1001") < told.index("Arrived: created") < told.index("E-mail marketing granted")


# Sending again ------------------------------------------------------------------------------------


def test_resending_twice_is_one_run_that_sends_profile_list_and_events(client, fixed, remote):  # noqa: F811
    extension, member = fixed
    event = happen(member)
    drain(extension)
    Delivery.objects.update(state="failed", words="Down.")
    remote.events.clear()
    (list_id,) = remote.lists
    remote.on_list[list_id].clear()
    written = remote.count("write_profile")
    for _ in range(2):
        assert client.post(address(member, "resend")).status_code == 302
    made = SyncRun.objects.get(kind="live", hour=None)
    assert (made.member_ids, made.force, made.trigger, made.status) == (
        [member.pk],
        True,
        "person",
        "running",
    )
    assert made.reason == "Resent Ann" and made.started_by is not None
    drain(extension)
    made.refresh_from_db()
    assert (made.status, made.sent) == ("succeeded", 3)
    assert remote.count("write_profile") == written + 1
    assert remote.members("VIP") == ["M-0"] and remote.uids() == [str(event.uid)]


def test_resending_waits_behind_no_job(client, fixed, remote):  # noqa: F811
    extension, member = fixed
    make_run(extension, status="waiting", phase="plan", finished_at=None)
    client.post(address(member, "resend"))
    made = SyncRun.objects.get(kind="live", hour=None)
    from integrations import tasks

    tasks.work_live(extension.pk)
    made.refresh_from_db()
    assert made.status == "succeeded" and made.sent == 2


def test_who_is_on_the_way_already_is_not_sent_twice(client, fixed):
    _extension, member = fixed
    batch = SyncRun.objects.get(kind="full").batches.order_by("pk").first()
    SentProfile.objects.update(in_flight=batch.pk)
    page = plain(client.post(address(member, "resend"), follow=True))
    assert f"in run #{batch.run_id}" in page and not SyncRun.objects.filter(kind="live", hour=None).exists()


def test_resending_who_is_held_back_says_so(client, fixed):
    _extension, member = fixed
    type(member).objects.filter(pk=member.pk).update(email="")
    client.post(address(member, "resend"))
    made = SyncRun.objects.get(kind="live", hour=None)
    assert (made.status, made.held, made.sent) == ("succeeded", 1, 0)


@pytest.mark.parametrize("off", [True, False])
def test_nothing_is_resent_where_nothing_can_be_sent(client, fixed, off):
    extension, member = fixed
    if off:
        connections.set_active(extension, False)
    else:
        type(extension).objects.update(health="attention", health_reason="The key is gone.")
    page = plain(client.post(address(member, "resend"), follow=True))
    assert ("switched off" if off else "The key is gone.") in page
    assert not SyncRun.objects.filter(kind="live", hour=None).exists()


def test_a_resent_person_stands_in_the_list_of_runs(client, fixed):
    _, member = fixed
    client.post(address(member, "resend"))
    assert "One person" in plain(client.get("/t/acme/runs/"))


# Who may ------------------------------------------------------------------------------------------


def test_a_viewer_looks_and_does_not_resend(client, fixed):
    extension, member = fixed
    client.force_login(make_user(extension.tenant, role="viewer"))
    assert "Resend this person" not in client.get(address(member)).content.decode()
    assert client.get(address(member, "now")).status_code == 200
    assert client.post(address(member, "resend")).status_code == 403


@pytest.mark.parametrize("name", ["why", "now", "resend"])
def test_nobody_sees_the_people_or_connections_of_another_tenant(client, fixed, name):
    _extension, member = fixed
    stranger = make_member(make_tenant("other"))
    call = client.post if name == "resend" else client.get
    assert call(address(stranger, name)).status_code == 404
    theirs = make_extension(make_tenant())
    given = {"connection": theirs.pk}
    assert call(address(member, name), given).status_code == 404
    client.force_login(make_user(make_tenant()))
    assert call(address(member, name)).status_code == 404


def test_what_people_wrote_is_never_read_as_html(client, fixed):
    extension, member = fixed
    evil = "<script>alert(1)</script>"
    touch(member, first_name=evil, city=evil)
    make_row(make_run(extension), member, "rejected", words=evil, what=evil)
    for name in ("why", "now"):
        assert "<script>alert" not in client.get(address(member, name)).content.decode()


def test_without_a_connection_the_page_says_what_to_do(client, tenant):
    member = make_member(tenant)
    assert "Nothing is connected yet" in plain(client.get(address(member)))
    assert client.get(address(member, "now")).status_code == 404


def test_more_history_asks_no_more_queries(client, tenant, count_queries):
    extension, member = make_extension(tenant), make_member(tenant)

    def more():
        make_row(make_run(extension), member)
        audience = make_audience(tenant)
        put_in(audience, member)
        extension.audience_mappings.create(audience=audience, list_name=audience.slug, list_id=audience.slug)
        Delivery.objects.create(extension=extension, event=happen(member), member_id=member.pk)

    assert count_queries(more, address(member))
