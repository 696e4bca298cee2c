"""Open failures of one programme: by cause, who it is, and running them again."""

import pytest

from integrations.models import Dismissal, SyncRow, SyncRun
from tests.factories import make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_row, make_run, make_troubled_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(client):
    tenant = make_tenant("acme")
    client.force_login(make_user(tenant, role="manager"))
    return tenant


@pytest.fixture
def extension(tenant):
    return make_extension(tenant)


def text(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_nothing_open_needs_nobody(client, extension):
    assert "Nothing needs you" in text(client.get("/t/acme/failures/"))


def test_a_cause_says_what_it_means_how_many_and_what_to_do(client, extension):
    for _ in range(2):
        make_troubled_run(extension, make_member(extension.tenant))
    found = text(client.get("/t/acme/failures/"))
    assert "Klaviyo does not accept the e-mail address" in found and "2 people" in found
    assert "Correct the address in the shop" in found and "Not by itself: waits for a change of data" in found


def test_failures_of_others_are_not_shown(client, extension):
    other = make_extension(make_tenant("bolt"))
    make_troubled_run(other, make_member(other.tenant))
    assert "Nothing needs you" in text(client.get("/t/acme/failures/"))
    for act in ("", "rerun/"):
        assert client.get(f"/t/acme/failures/{other.pk}/{act}?code=invalid_email").status_code == 404


def test_what_is_mended_or_put_aside_is_not_shown(client, extension):
    run = make_troubled_run(extension, make_member(extension.tenant))
    aside = Dismissal.objects.create(extension=extension, code="invalid_email", note="x")
    SyncRow.objects.filter(run=run).update(dismissal=aside)
    assert "Nothing needs you" in text(client.get("/t/acme/failures/"))


def test_its_people_lead_to_their_story_and_run(client, extension):
    member = make_member(extension.tenant, first_name="Ada")
    run = make_troubled_run(extension, member)
    found = text(client.get(f"/t/acme/failures/{extension.pk}/?code=invalid_email"))
    assert f"/t/acme/members/{member.pk}/why/" in found and f"/t/acme/runs/{run.pk}/" in found
    assert "This address cannot exist" in found


def test_a_cause_that_is_gone_says_so(client, extension):
    assert "any more" in text(client.get(f"/t/acme/failures/{extension.pk}/?code=invalid_email"))
    assert "Nothing to do" in text(client.get(f"/t/acme/failures/{extension.pk}/rerun/?code=invalid_email"))


def test_held_people_are_counted_when_asked(client, extension):
    make_row(make_run(extension, held=1), make_member(extension.tenant), "held", code="no_identifier")
    assert "No usable e-mail" not in text(client.get("/t/acme/failures/"))
    assert "1 person" in text(client.get("/t/acme/failures/?held=1"))


def test_a_manager_runs_them_again_after_seeing_the_result_and_twice_is_once(client, extension):
    for _ in range(2):
        make_troubled_run(extension, make_member(extension.tenant))
    address = f"/t/acme/failures/{extension.pk}/rerun/?code=invalid_email"
    assert "2 rows: 2 now differ." in text(client.get(address))
    assert "Say in a few words" in text(client.post(address, {"reason": ""}))
    for _ in range(2):
        made = client.post(address, {"reason": "Corrected"})
    run = SyncRun.objects.get(trigger="rerun")
    assert made["location"] == f"/t/acme/runs/{run.pk}/" and len(run.member_ids) == 2


def test_events_that_failed_are_run_again_as_events(client, extension):
    run = make_run(extension, rejected=1)
    make_row(run, make_member(extension.tenant), "rejected", code="invalid", delivery_id=7, action="event")
    client.post(f"/t/acme/failures/{extension.pk}/rerun/?code=invalid", {"reason": "x"})
    made = SyncRun.objects.get(trigger="rerun")
    assert (made.member_ids, made.delivery_ids) == ([], [7])


def test_events_that_are_off_say_why_they_cannot(client, extension):
    run = make_run(extension, rejected=1)
    make_row(run, make_member(extension.tenant), "rejected", code="invalid", delivery_id=7, action="event")
    extension.events_enabled = False
    extension.save()
    answer = client.post(f"/t/acme/failures/{extension.pk}/rerun/?code=invalid", {"reason": "x"})
    assert "sends no events" in text(answer) and not SyncRun.objects.filter(trigger="rerun").exists()


def test_a_viewer_reads_and_does_not_run(client, extension):
    make_troubled_run(extension, make_member(extension.tenant))
    client.force_login(make_user(extension.tenant, role="viewer"))
    assert "Re-run these" not in text(client.get("/t/acme/failures/"))
    assert client.get(f"/t/acme/failures/{extension.pk}/rerun/?code=invalid_email").status_code == 403


def test_many_causes_ask_as_often_as_five(client, extension, count_queries):
    run = make_run(extension, rejected=50)

    def make():
        member = make_member(extension.tenant)
        make_row(run, member, "rejected", code=member.external_id)

    assert count_queries(make, "/t/acme/failures/")
