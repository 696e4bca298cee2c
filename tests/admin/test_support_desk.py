"""The support desk: causes over all tenants, what can be done about one, and what leaves by itself."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from integrations.models import Delivery, Dismissal, FailureCare, SentProfile, SyncRow, SyncRun
from integrations.services import failure_desk, needs, run_history
from loyalty.models import OutboxEvent
from tests.factories import make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_row, make_run, make_troubled_run
from tests.services.builders import run as carry_out
from tests.services.builders import touch
from tests.services.conftest import connect, drain, fake, one_beat, remote  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def extension():
    return make_extension(make_tenant("acme", name="Acme Coffee"))


@pytest.fixture
def refused(extension):
    """Two people of two runs with one cause."""
    for _ in range(2):
        make_troubled_run(extension, make_member(extension.tenant))
    return extension


def page(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def of(extension, act: str = "", code: str = "invalid_email") -> str:
    return f"/admin/support/{extension.pk}/{act}?code={code}"


def age(extension, **back) -> None:
    SyncRow.objects.filter(run__extension=extension).update(created_at=timezone.now() - timedelta(**back))


# The list -----------------------------------------------------------------------------------------


def test_causes_of_all_programmes_are_counted_and_explained(client, support, refused):
    other = make_extension(make_tenant("bolt", name="Bolt Bikes"))
    run = make_run(other, status="failed", failed=1)
    make_row(run, make_member(other.tenant), "failed", code="temporary", words="Status 503.")
    client.force_login(support)
    found = page(client, "/admin/support/")
    assert "3 open failures of 3 people" in found
    assert "Acme Coffee" in found and "Bolt Bikes" in found
    assert "does not accept the e-mail address" in found and "Correct the address in the shop" in found
    assert "The other side could not take it" in found and "Status 503." in found


def test_a_code_that_nobody_knows_has_words_too(client, support, extension):
    run = make_run(extension, rejected=1)
    make_row(run, make_member(extension.tenant), "rejected", code="flux_overload")
    client.force_login(support)
    assert "Flux overload" in page(client, "/admin/support/")


def test_the_list_asks_as_often_for_many_causes_as_for_five(client, support, count_queries):
    def make():
        other = make_extension(make_tenant())
        make_row(make_run(other, rejected=1), make_member(other.tenant), "rejected", code=other.tenant.slug)

    client.force_login(support)
    assert count_queries(make, "/admin/support/")


def test_the_partial_index_serves_the_list(extension):
    """Of 20,000 rows that arrived or were held, none is looked at for the two that are open."""
    member = make_member(extension.tenant)
    run = make_run(extension, sent=20_000)
    SyncRow.objects.bulk_create(
        SyncRow(run=run, member=member, verdict=verdict)
        for verdict in ("sent", "held")
        for _ in range(10_000)
    )
    make_troubled_run(extension, member)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE integrations_syncrow, integrations_syncrun")
    plan = run_history.open_failures().values("code").explain()
    assert "row_open_failure" in plan and "Seq Scan on integrations_syncrow" not in plan


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("?tenant=acme", ["Acme"]),
        ("?code=temporary", ["Bolt"]),
        ("?owner=mine", ["Acme"]),
        ("?owner=nobody", ["Bolt"]),
        ("?age=day", ["Bolt"]),
        ("?age=week", []),
        ("?page=1", []),
        ("?page=x&owner=no&age=no&sort=no", ["Acme", "Bolt"]),
    ],
)
def test_filters(client, support, refused, query, seen):
    other = make_extension(make_tenant("bolt", name="Bolt Bikes"))
    make_row(make_run(other, failed=1), make_member(other.tenant), "failed", code="temporary")
    age(other, days=2)
    FailureCare.objects.create(extension=refused, code="invalid_email", owner=support)
    client.force_login(support)
    answer = client.get(f"/admin/support/{query}")
    assert [cause.extension.tenant.name.split()[0] for cause in answer.context["found"].causes] == seen


def test_the_oldest_can_come_first(client, support, refused):
    other = make_extension(make_tenant("bolt"))
    make_row(make_run(other, failed=1), make_member(other.tenant), "failed", code="temporary")
    age(other, days=2)
    client.force_login(support)
    for query, first in (("", refused), ("?sort=age", other)):
        assert client.get(f"/admin/support/{query}").context["found"].causes[0].extension == first


def test_tries_and_the_next_one_come_from_the_marks_of_the_engine(extension):
    soon = timezone.now() + timedelta(minutes=5)
    profile_member, event_member = make_member(extension.tenant), make_member(extension.tenant)
    SentProfile.objects.create(
        extension=extension, member=profile_member, due_at=timezone.now(), not_before=soon, failures=3
    )
    event = OutboxEvent.objects.create(
        tenant=extension.tenant,
        member=event_member,
        kind="points_earned",
        properties={},
        occurred_at=timezone.now(),
    )
    delivery = Delivery.objects.create(
        extension=extension, event=event, member_id=event_member.pk, state="rejected"
    )
    run = make_run(extension, failed=1, rejected=1)
    make_row(run, profile_member, "failed", code="temporary")
    make_row(run, event_member, "rejected", code="invalid", delivery_id=delivery.pk)
    temporary, invalid = sorted(failure_desk.causes().causes, key=lambda cause: cause.code, reverse=True)
    assert (temporary.standing.attempts, temporary.standing.next_at, temporary.next_words) == (3, soon, "")
    assert invalid.next_words == "not by itself: waits for a change of data"


def test_held_people_are_told_apart_and_only_when_asked(client, support, refused):
    run = make_run(refused, held=1)
    make_row(run, make_member(refused.tenant), "held", code="no_identifier")
    client.force_login(support)
    assert "2 open failures" in page(client, "/admin/support/")
    assert "No usable e-mail or phone" not in page(client, "/admin/support/")
    assert "No usable e-mail or phone" in page(client, "/admin/support/?held=1")


def test_what_was_given_up_says_that_it_waits_for_a_person(extension):
    make_row(make_run(extension, failed=1), make_member(extension.tenant), "failed", code="temporary")
    (cause,) = failure_desk.causes().causes
    assert cause.next_words == "not by itself: given up, re-run these"


# Leaving by itself ---------------------------------------------------------------------------------


def test_a_refused_row_leaves_the_desk_when_its_data_is_mended(client, support, connect, remote):  # noqa: F811
    extension = connect()
    member = make_member(extension.tenant, "M-1", email="m1@acme.test")
    for number in range(2, 120):
        make_member(extension.tenant, f"M-{number}")
    remote.refused_later = {"m1@acme.test"}
    carry_out(extension)
    client.force_login(support)
    assert "1 open failure of 1 person" in page(client, "/admin/support/")
    remote.refused_later = set()
    touch(member, email="right@acme.test")
    drain(extension)
    assert "No failure is open." in page(client, "/admin/support/")
    assert SyncRow.objects.get(verdict="rejected").healed_at is not None


# One cause -----------------------------------------------------------------------------------------


def test_a_cause_shows_its_people_and_leads_to_their_story(client, support, refused):
    client.force_login(support)
    found = page(client, of(refused))
    member = refused.tenant.members.first()
    assert "2 rows of 2 people are open" in found
    assert f"/t/acme/members/{member.pk}/why/" in found
    assert f"/admin/loyalty/member/{member.pk}/change/" in found
    assert "pk_ACME01" not in found


def test_its_rows_are_a_file_that_a_spreadsheet_does_not_execute(client, support, refused):
    make_row(
        make_run(refused), make_member(refused.tenant), "rejected", code="invalid_email", words="=HYPER()"
    )
    client.force_login(support)
    found = page(client, of(refused, "rows.csv"))
    assert found.count("invalid_email") == 3 and "'=HYPER()" in found


def test_a_cause_that_is_mended_says_so(client, support, extension):
    client.force_login(support)
    for act in ("", "rerun/", "dismiss/"):
        assert "any more" in page(client, of(extension, act)) or "Nothing to do" in page(
            client, of(extension, act)
        )


def test_its_page_asks_as_often_for_many_rows_as_for_five(client, support, extension, count_queries):
    client.force_login(support)
    assert count_queries(lambda: make_troubled_run(extension, make_member(extension.tenant)), of(extension))


def test_a_cause_is_taken_given_and_noted(client, support, staff, refused):
    client.force_login(support)
    client.post(of(refused, "care/"), {"take": "1", "desk": "1"})
    assert FailureCare.objects.get().owner == support
    client.post(of(refused, "care/"), {"owner": staff.pk, "note": "Waits for the shop"})
    care = FailureCare.objects.get()
    assert (care.owner, care.note) == (staff, "Waits for the shop")
    assert "Waits for the shop" in page(client, "/admin/support/")


def test_a_cause_goes_to_staff_only(client, support, refused):
    client.force_login(support)
    client.post(of(refused, "care/"), {"owner": make_user(refused.tenant).pk, "note": ""})
    assert not FailureCare.objects.exclude(owner=None).exists()


# Running again -------------------------------------------------------------------------------------


def test_a_re_run_says_the_result_first_and_two_clicks_are_one_run(client, support, refused):
    client.force_login(support)
    assert "2 rows: 2 now differ." in page(client, of(refused, "rerun/"))
    assert not SyncRun.objects.filter(trigger="rerun").exists()
    for _ in range(2):
        assert client.post(of(refused, "rerun/"), {"reason": "Ticket 12"}).status_code == 302
    made = SyncRun.objects.get(trigger="rerun")
    people = sorted(refused.tenant.members.values_list("pk", flat=True))
    assert (made.member_ids, made.delivery_ids, made.reason) == (people, [], "Ticket 12")
    assert (made.started_by, made.only_failed, made.kind) == (support, True, "changes")


def test_a_re_run_asks_for_a_reason(client, support, refused):
    client.force_login(support)
    assert "Say in a few words" in client.post(of(refused, "rerun/"), {"reason": " "}).content.decode()
    assert not SyncRun.objects.filter(trigger="rerun").exists()


def test_a_re_run_of_a_cause_is_not_taken_for_one_of_its_run(refused):
    """They share the parent, and carry different people."""
    from integrations.services import cause_reruns, rerun_once

    parent = SyncRun.objects.order_by("-pk").first()
    of_cause = cause_reruns.create(refused, "invalid_email", user=None)
    assert of_cause.parent == parent
    assert rerun_once.create(parent, failed_only=True, user=None) != of_cause


def test_a_re_run_mends_what_it_sends(client, support, connect, remote):  # noqa: F811
    extension = connect()
    for number in range(120):
        make_member(extension.tenant, f"M-{number}", email=f"m{number}@acme.test")
    remote.refused_later = {"m1@acme.test", "m2@acme.test"}
    carry_out(extension)
    remote.refused_later = set()
    code = SyncRow.objects.filter(verdict="rejected").first().code
    client.force_login(support)
    assert "2 rows: 2 are still as they were refused." in page(client, of(extension, "rerun/", code))
    client.post(of(extension, "rerun/", code), {"reason": "Mended there"})
    drain(extension)
    made = SyncRun.objects.get(trigger="rerun")
    assert (made.status, made.sent) == ("succeeded", 2)
    assert set(SyncRow.objects.filter(verdict="rejected").values_list("healed_by_id", flat=True)) == {made.pk}
    assert failure_desk.causes().causes == []


def test_a_connection_that_is_off_says_why_it_cannot(client, support, refused):
    refused.is_active = False
    refused.save()
    client.force_login(support)
    answer = client.post(of(refused, "rerun/"), {"reason": "x"})
    assert "switched off" in answer.content.decode()
    assert "not while the connection is off" in page(client, "/admin/support/").lower()


# Putting aside -------------------------------------------------------------------------------------


def test_what_is_put_aside_leaves_everywhere_and_can_come_back(client, support, refused):
    client.force_login(support)
    assert "Say in a few words" in client.post(of(refused, "dismiss/"), {"note": ""}).content.decode()
    assert "2 rows of 2 people leave" in page(client, of(refused, "dismiss/"))
    client.post(of(refused, "dismiss/"), {"note": "Test people"})
    made = Dismissal.objects.get()
    assert (made.rows, made.by, made.note) == (2, support, "Test people")
    assert failure_desk.causes().causes == [] and needs.failed_people(refused.tenant) == 0
    listed = page(client, "/admin/support/put-aside/")
    assert "Test people" in listed and support.email in listed
    client.post("/admin/support/put-aside/", {"dismissal": made.pk})
    assert needs.failed_people(refused.tenant) == 2 and not Dismissal.objects.exists()


def test_the_page_of_a_row_says_who_put_it_aside_and_why(client, support, refused):
    row = SyncRow.objects.first()
    client.force_login(support)
    assert "Test people" not in page(client, f"/admin/integrations/syncrow/{row.pk}/change/")
    client.post(of(refused, "dismiss/"), {"note": "Test people"})
    assert f"{support}: Test people" in page(client, f"/admin/integrations/syncrow/{row.pk}/change/")


def test_a_later_failure_of_the_same_cause_is_open_anew(client, support, refused):
    client.force_login(support)
    client.post(of(refused, "dismiss/"), {"note": "Test people"})
    make_troubled_run(refused, make_member(refused.tenant))
    assert [cause.rows for cause in failure_desk.causes().causes] == [1]


def test_more_than_a_chunk_is_put_aside_whole(monkeypatch, support, extension):
    from integrations.services import dismissing

    monkeypatch.setattr(dismissing, "CHUNK", 2)
    for _ in range(5):
        make_troubled_run(extension, make_member(extension.tenant))
    made = dismissing.dismiss(extension, "invalid_email", by=support, note="x")
    assert made.rows == 5
    assert dismissing.bring_back(made) == 5


# Doors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["", "rows.csv", "rerun/", "dismiss/"])
def test_who_may_only_view_rows_reads_and_changes_nothing(client, refused, act):
    from django.contrib.auth.models import Permission

    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_syncrow"))
    client.force_login(viewer)
    assert client.get(of(refused, act)).status_code == (200 if act in ("", "rows.csv") else 403)
    assert client.post(of(refused, "care/"), {"take": "1"}).status_code == 403
    assert client.post("/admin/support/put-aside/", {"dismissal": 1}).status_code == 403
    assert "Re-run these" not in page(client, of(refused))
