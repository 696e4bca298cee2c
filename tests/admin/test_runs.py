import pytest

from integrations.models import SyncRun
from tests.factories import make_member, make_tenant, make_user
from tests.pages.builders import make_extension, make_row, make_run, make_troubled_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    return make_tenant("acme")


@pytest.fixture
def run(tenant):
    return make_troubled_run(make_extension(tenant), make_member(tenant, email="ada@example.com"))


def test_one_run_shows_verdicts_causes_and_what_changed(client, support, run, tenant):
    make_row(run, make_member(tenant), "sent", changes={"VIP Tier": ["Silver", "Gold"]})
    client.force_login(support)
    page = client.get(f"/admin/integrations/syncrun/{run.pk}/change/").content.decode()
    assert "3 of 4 arrived" in page and "This address cannot exist" in page and "Gold" in page
    assert "Re-run failed rows" in page


def test_an_unknown_run_is_no_error(client, support):
    client.force_login(support)
    assert client.get("/admin/integrations/syncrun/999/change/").status_code == 302


def test_support_re_runs_failed_rows_after_seeing_the_result_and_twice_is_once(client, support, run):
    client.force_login(support)
    address = f"/admin/integrations/syncrun/{run.pk}/rerun/"
    assert "1 member and 0 events did not arrive" in client.get(address + "?failed_only=1").content.decode()
    assert not SyncRun.objects.filter(parent=run).exists()
    asked = {"failed_only": "1", "confirmed": "1", "reason": "Ticket 12"}
    for _ in range(2):
        assert client.post(address, asked).status_code == 302
    again = SyncRun.objects.get(parent=run)
    assert (again.reason, again.started_by, again.only_failed) == ("Ticket 12", support, True)


@pytest.mark.parametrize(("action", "only_failed"), [("rerun_failed", True), ("rerun", False)])
def test_the_action_of_the_list_asks_first(client, support, run, action, only_failed):
    client.force_login(support)
    asked = {"action": action, "_selected_action": [run.pk], "failed_only": "1" if only_failed else "0"}
    assert (
        "Nothing that arrived is sent twice"
        in client.post("/admin/integrations/syncrun/", asked).content.decode()
    )
    assert not SyncRun.objects.filter(parent=run).exists()
    client.post("/admin/integrations/syncrun/", {**asked, "confirmed": "1", "reason": "x"})
    assert SyncRun.objects.get(parent=run).only_failed is only_failed


def test_who_may_only_view_runs_cannot_re_run(client, run):
    from django.contrib.auth.models import Permission

    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_syncrun"))
    client.force_login(viewer)
    assert client.post(f"/admin/integrations/syncrun/{run.pk}/rerun/", {"confirmed": "1"}).status_code == 403
    page = client.get(f"/admin/integrations/syncrun/{run.pk}/change/").content.decode()
    assert "Re-run failed rows" not in page


def test_a_live_run_is_folded_away(client, support, tenant):
    from django.utils import timezone

    live = make_run(make_extension(tenant), kind="live", hour=timezone.now())
    client.force_login(support)
    assert f"#{live.pk} Live" not in client.get("/admin/integrations/syncrun/").content.decode()
    assert f"#{live.pk} Live" in client.get("/admin/integrations/syncrun/?live=only").content.decode()


@pytest.mark.parametrize("asked", ["ada@", "+447911", "c-77", "ada"])
def test_one_person_is_found_across_runs_newest_first(client, support, asked):
    tenant = make_tenant()
    extension = make_extension(tenant)
    member = make_member(tenant, "C-77", email="ada@example.com", phone="+447911123456", first_name="Ada")
    rows = [make_row(make_run(extension), member) for _ in range(3)]
    make_row(make_run(extension), make_member(tenant, "C-78", first_name="Ben"))
    client.force_login(support)
    answer = client.get("/admin/integrations/syncrow/", {"q": asked})
    assert [row.pk for row in answer.context["cl"].result_list] == [row.pk for row in reversed(rows)]


def test_open_failures_leave_out_what_was_mended(client, support, run, tenant):
    from django.utils import timezone

    make_row(run, make_member(tenant), "rejected", healed_at=timezone.now())
    client.force_login(support)
    answer = client.get("/admin/integrations/syncrow/?outcome=open")
    assert len(answer.context["cl"].result_list) == 1


def test_support_cancels_an_open_run_after_being_asked(client, support, tenant):
    run = make_run(make_extension(tenant), status="running")
    client.force_login(support)
    address = f"/admin/integrations/syncrun/{run.pk}/cancel/"
    assert "Cancel this run" in client.get(f"/admin/integrations/syncrun/{run.pk}/change/").content.decode()
    assert "stays due" in client.get(address).content.decode()
    run.refresh_from_db()
    assert run.status == "running"
    client.post(address, {"confirmed": "1"})
    run.refresh_from_db()
    assert (run.status, run.note) == ("cancelled", f"Cancelled by {support.email}.")
    assert client.post(address, {"confirmed": "1"}).status_code == 302


def test_the_list_cancels_what_is_open(client, support, tenant):
    over, waiting = make_run(make_extension(tenant)), make_run(make_extension(make_tenant()), status="queued")
    client.force_login(support)
    asked = {"action": "cancel", "_selected_action": [over.pk, waiting.pk]}
    assert "stays due" in client.post("/admin/integrations/syncrun/", asked).content.decode()
    client.post("/admin/integrations/syncrun/", {**asked, "confirmed": "1"})
    assert set(SyncRun.objects.values_list("status", flat=True)) == {"succeeded", "cancelled"}


def test_who_may_only_view_runs_cannot_cancel(client, tenant):
    from django.contrib.auth.models import Permission

    run = make_run(make_extension(tenant), status="running")
    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_syncrun"))
    client.force_login(viewer)
    assert client.post(f"/admin/integrations/syncrun/{run.pk}/cancel/", {"confirmed": "1"}).status_code == 403
    assert "cancel/" not in client.get(f"/admin/integrations/syncrun/{run.pk}/change/").content.decode()
