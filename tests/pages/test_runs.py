import re
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Dismissal, SyncRun
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
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def test_live_runs_are_folded_away_until_asked_for(client, extension):
    live = make_run(extension, kind="live", hour=timezone.now())
    job = make_run(extension)
    page = text(client.get("/t/acme/runs/"))
    assert f"#{job.pk} " in page and f"#{live.pk} " not in page
    assert f"#{live.pk} " in text(client.get("/t/acme/runs/?live=1"))


def test_older_runs_are_a_page_further(client, extension):
    runs = [make_run(extension) for _ in range(27)]
    page = text(client.get("/t/acme/runs/"))
    assert f"?before={runs[2].pk}" in page
    assert f"#{runs[0].pk} " in text(client.get(f"/t/acme/runs/?before={runs[2].pk}"))


@pytest.mark.parametrize(
    "query", ["?before=x", "?before=-1", "?before=" + "9" * 40, "?status=no&kind=no", "?after=²"]
)
def test_nonsense_in_the_address_is_no_error(client, extension, query):
    run = make_run(extension)
    assert client.get(f"/t/acme/runs/{query}").status_code == 200
    assert client.get(f"/t/acme/runs/{run.pk}/{query}").status_code == 200


def test_a_run_says_what_happened_and_why(client, extension, tenant):
    member = make_member(tenant, first_name="Ada")
    run = make_troubled_run(extension, member)
    make_row(run, member, "sent", action="updated", changes={"Points Balance": [90, 120]})
    page = text(client.get(f"/t/acme/runs/{run.pk}/"))
    assert "3 of 4 arrived; 1 refused by" in page
    assert "This address cannot exist. Correct it." in page
    assert 'class="before">90<' in page and 'class="after">120<' in page


def test_rows_are_filtered_by_verdict_and_code(client, extension, tenant):
    run = make_troubled_run(extension, make_member(tenant, first_name="Refused"))
    make_row(run, make_member(tenant, first_name="Fine"), "sent")
    page = text(client.get(f"/t/acme/runs/{run.pk}/?verdict=rejected&code=invalid_email"))
    assert "Refused" in page and ">Fine<" not in page


def test_an_open_run_asks_again_and_a_settled_one_does_not(client, extension):
    run = make_run(extension, status="running", phase="send", planned=10, sent=4, progress_at=timezone.now())
    assert 'hx-trigger="every 2s"' in text(client.get(f"/t/acme/runs/{run.pk}/"))
    fragment = text(client.get(f"/t/acme/runs/{run.pk}/progress/"))
    assert "4 of 10 done" in fragment and "40 %" in fragment
    SyncRun.objects.filter(pk=run.pk).update(status="succeeded", finished_at=timezone.now())
    assert "every 2s" not in text(client.get(f"/t/acme/runs/{run.pk}/"))
    last = client.get(f"/t/acme/runs/{run.pk}/progress/")
    assert (last.status_code, last["HX-Refresh"]) == (204, "true")


def test_a_fragment_after_the_session_ended_loads_the_whole_page(client, extension):
    run = make_run(extension, status="running")
    client.logout()
    answer = client.get(f"/t/acme/runs/{run.pk}/progress/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_what_did_not_arrive_is_a_file_that_no_spreadsheet_executes(client, extension, tenant):
    member = make_member(tenant, external_id="=1+1", email="@sum(a1)", phone="+441234")
    run = make_troubled_run(extension, member)
    answer = client.get(f"/t/acme/runs/{run.pk}/not-arrived.csv")
    assert answer.streaming and "attachment" in answer["Content-Disposition"]
    body = text(answer)
    assert "'=1+1" in body and "'@sum(a1)" in body and "'+441234" in body
    assert "This address cannot exist" in body


def test_a_re_run_states_numbers_first_and_a_double_click_is_one_run(client, extension, tenant):
    run = make_troubled_run(extension, make_member(tenant))
    address = f"/t/acme/runs/{run.pk}/rerun/"
    page = text(client.get(address + "?failed_only=1"))
    assert "1 row: 1 now differs." in page and page.index("1 now differs") < page.index('name="what"')
    for _ in range(2):
        client.post(address, {"failed_only": "1", "reason": "Address corrected"})
    again = SyncRun.objects.get(parent=run)
    assert again.only_failed and again.reason == "Address corrected" and again.trigger == "rerun"


def test_a_second_click_after_the_re_run_began_is_still_one_run(client, extension, tenant):
    run = make_troubled_run(extension, make_member(tenant))
    client.post(f"/t/acme/runs/{run.pk}/rerun/", {"failed_only": "1", "reason": "x"})
    SyncRun.objects.filter(parent=run).update(
        status="running", created_at=timezone.now() - timedelta(hours=1)
    )
    client.post(f"/t/acme/runs/{run.pk}/rerun/", {"failed_only": "1", "reason": "x"})
    assert SyncRun.objects.filter(parent=run).count() == 1


def test_nothing_failed_is_said_and_not_started(client, extension):
    run = make_run(extension, sent=3)
    address = f"/t/acme/runs/{run.pk}/rerun/"
    page = text(client.get(address + "?failed_only=1"))
    assert "No failed row is left." in page and 'value="failures" disabled' in page
    assert "Nothing to do" in text(client.post(address, {"what": "failures", "reason": "x"}))
    assert not SyncRun.objects.filter(parent=run).exists()


def test_a_manager_starts_a_run_with_a_kind_and_a_reason(client, extension):
    answer = client.post(
        "/t/acme/runs/start/", {"extension": extension.pk, "kind": "full", "reason": "To be sure"}
    )
    run = SyncRun.objects.get()
    assert answer.url == f"/t/acme/runs/{run.pk}/"
    assert (run.kind, run.reason, run.trigger) == ("full", "To be sure", "person")


def test_another_tenants_connection_cannot_be_started(client, extension):
    other = make_extension(make_tenant("other"))
    answer = client.post("/t/acme/runs/start/", {"extension": other.pk, "kind": "full"})
    assert answer.status_code == 200 and not SyncRun.objects.exists()


def test_without_a_connection_the_page_says_so(client, tenant):
    assert "No connection is switched on" in text(client.get("/t/acme/runs/start/"))


@pytest.mark.parametrize("address", ["/t/acme/", "/t/acme/runs/?live=1"])
def test_more_runs_ask_no_more_queries(client, extension, tenant, address, count_queries):
    assert count_queries(lambda: make_run(extension), address)


def test_more_rows_ask_no_more_queries(client, extension, tenant, count_queries):
    run = make_run(extension)
    assert count_queries(lambda: make_row(run, make_member(tenant)), f"/t/acme/runs/{run.pk}/")


def test_a_manager_cancels_an_open_run_after_being_asked(client, extension):
    run = make_run(extension, status="running", phase="send")
    address = f"/t/acme/runs/{run.pk}/cancel/"
    assert "Cancel this run" in text(client.get(f"/t/acme/runs/{run.pk}/"))
    assert "stays due" in text(client.get(address))
    run.refresh_from_db()
    assert run.status == "running"
    assert client.post(address).status_code == 302
    run.refresh_from_db()
    assert run.status == "cancelled" and run.note.startswith("Cancelled by ")
    assert "was over already" in text(client.post(address, follow=True))
    assert "Cancel this run" not in text(client.get(f"/t/acme/runs/{run.pk}/"))


def test_a_live_run_is_not_cancelled(client, extension):
    run = make_run(extension, kind="live", status="running", hour=timezone.now())
    assert "end by themselves" in text(client.get(f"/t/acme/runs/{run.pk}/cancel/"))
    client.post(f"/t/acme/runs/{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.status == "running"


def test_neither_a_viewer_nor_an_outsider_cancels(client, extension, tenant):
    run = make_run(extension, status="running")
    for person, status in ((make_user(tenant, role="viewer"), 403), (make_user(make_tenant()), 404)):
        client.force_login(person)
        assert client.post(f"/t/acme/runs/{run.pk}/cancel/").status_code == status
    other = make_run(make_extension(make_tenant("other")), status="running")
    client.force_login(make_user(tenant, role="owner"))
    assert client.post(f"/t/acme/runs/{other.pk}/cancel/").status_code == 404
    assert not SyncRun.objects.filter(status="cancelled").exists()


def test_a_re_run_without_a_reason_is_asked_for_one(client, extension, tenant):
    run = make_troubled_run(extension, make_member(tenant))
    page = text(client.post(f"/t/acme/runs/{run.pk}/rerun/", {"what": "failures", "reason": " "}))
    assert "Say in a few words why it is done again." in page
    assert not SyncRun.objects.filter(parent=run).exists()


@pytest.mark.parametrize(
    ("what", "failed_only", "force"),
    [("failures", True, False), ("whole", False, False), ("again", False, True), ("nonsense", None, None)],
)
def test_a_re_run_is_of_the_failures_the_whole_or_all_again(
    client, extension, tenant, what, failed_only, force
):
    run = make_troubled_run(extension, make_member(tenant))
    for _ in range(2):
        client.post(f"/t/acme/runs/{run.pk}/rerun/", {"what": what, "reason": "To be sure"})
    made = list(SyncRun.objects.filter(parent=run).values_list("only_failed", "force"))
    assert made == ([] if force is None else [(failed_only, force)])


def test_all_sent_again_is_another_run_than_the_whole_job(client, extension, tenant):
    run = make_troubled_run(extension, make_member(tenant))
    for what in ("whole", "again"):
        client.post(f"/t/acme/runs/{run.pk}/rerun/", {"what": what, "reason": "x"})
    assert SyncRun.objects.filter(parent=run).count() == 2


def test_a_run_says_who_mended_its_rows_and_what_is_open(client, extension, tenant):
    now = timezone.now()
    run, later = make_troubled_run(extension, make_member(tenant)), make_run(extension)
    for healed_by in (later.pk, later.pk, None):
        make_row(run, make_member(tenant), "failed", healed_at=now, healed_by_id=healed_by)
    make_row(run, make_member(tenant), "held")
    aside = Dismissal.objects.create(extension=extension, code="x", note="They left.", rows=1)
    make_row(run, make_member(tenant), "rejected", dismissal=aside)
    page = plain(text(client.get(f"/t/acme/runs/{run.pk}/")))
    assert f"2 fixed by #{later.pk} · 1 fixed since · 1 put aside · 1 open · 1 held back" in page
    assert f"2 fixed by #{later.pk}" in plain(text(client.get("/t/acme/runs/")))


def test_a_run_and_its_re_run_name_each_other(client, extension, tenant):
    run = make_troubled_run(extension, make_member(tenant))
    again = make_run(extension, parent=run, only_failed=True)
    assert f"Failed rows again in #{again.pk}" in plain(text(client.get(f"/t/acme/runs/{run.pk}/")))
    assert f"Failed rows of #{run.pk}" in plain(text(client.get(f"/t/acme/runs/{again.pk}/")))


def test_more_mended_runs_ask_no_more_queries(client, extension, tenant, count_queries):
    member = make_member(tenant)
    assert count_queries(lambda: make_troubled_run(extension, member), "/t/acme/runs/")


def test_runs_are_filtered_by_who_started_them_and_when(client, extension, tenant):
    me = tenant.memberships.get().user
    mine = make_run(extension, started_by=me)
    theirs = make_run(extension, started_by=make_user(tenant))
    itself = make_run(extension, trigger="schedule")
    SyncRun.objects.filter(pk=mine.pk).update(created_at=timezone.now() - timedelta(days=9))

    def shown(query):
        page = text(client.get(f"/t/acme/runs/{query}"))
        return {run.pk for run in (mine, theirs, itself) if f">#{run.pk} " in page}

    assert shown(f"?by={me.pk}") == {mine.pk}
    assert shown("?by=people") == {mine.pk, theirs.pk}
    assert shown("?by=itself") == {itself.pk}
    assert shown("?days=7") == {theirs.pk, itself.pk}
    assert shown("?days=30&by=people") == {mine.pk, theirs.pk}


def test_the_list_of_runs_is_a_file_with_its_filters_and_of_this_tenant_alone(client, extension, tenant):
    run = make_run(extension, kind="full", reason="=cmd()")
    make_run(extension, kind="changes", reason="Not this one")
    make_run(make_extension(make_tenant("other")), reason="Of somebody else")
    body = text(client.get("/t/acme/runs.csv?kind=full"))
    assert body.count("\r\n") == 2 and f"\r\n{run.pk}," in body and "'=cmd()" in body


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split()).replace("# ", "#")
