"""Runs by API: another tenant's are not there."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Extension, RunKind, RunStatus, SyncRun
from tests.api.conftest import caller, problem_of
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


def make_extension(tenant, name="Klaviyo", *, is_active=True, destination="klaviyo"):
    return Extension.objects.create(
        tenant=tenant,
        name=name,
        destination=destination,
        is_active=is_active,
        active_since=timezone.now() if is_active else None,
    )


def make_run(extension, **fields):
    return SyncRun.objects.create(
        extension=extension, **{"kind": "changes", "trigger": "person", "status": "succeeded", **fields}
    )


def body(response, status=200):
    assert response.status_code == status, response.content
    return json.loads(response.content)


def test_a_run_is_shown_whole(call, tenant):
    now = timezone.now()
    run = make_run(
        make_extension(tenant),
        sent=5,
        held=1,
        calls=3,
        started_at=now,
        finished_at=now + timedelta(seconds=2),
    )
    shown = body(call("GET", f"/runs/{run.pk}"))
    assert shown["counts"] == {
        "accepted": 0,
        "sent": 5,
        "unchanged": 0,
        "rejected": 0,
        "failed": 0,
        "held": 1,
    }
    assert (shown["id"], shown["kind"], shown["status"], shown["calls"], shown["seconds"]) == (
        run.pk,
        "changes",
        "succeeded",
        3,
        2.0,
    )
    assert {"started_at", "finished_at", "parent_id", "extension", "trigger", "reason"} <= shown.keys()


@pytest.mark.parametrize("run_id", ["0", "999", "x", "9" * 30, "-1", "%D9%A1"])
def test_an_unknown_run_is_404(call, run_id):
    problem_of(call("GET", f"/runs/{run_id}"), 404)
    problem_of(call("POST", f"/runs/{run_id}/rerun", {}), 404)


def test_another_tenants_runs_are_not_there(call):
    run = make_run(make_extension(make_tenant("other")))
    problem_of(call("GET", f"/runs/{run.pk}"), 404)
    problem_of(call("POST", f"/runs/{run.pk}/rerun", {}), 404)
    assert body(call("GET", "/runs"))["runs"] == []


def test_pages_follow_each_other_without_live_runs(call, tenant):
    extension = make_extension(tenant)
    ids = [make_run(extension).pk for _ in range(5)]
    make_run(extension, kind=RunKind.LIVE, hour=timezone.now())
    first = body(call("GET", "/runs?limit=3"))
    second = body(call("GET", f"/runs?limit=3&before={first['next_before']}"))
    assert [run["id"] for run in first["runs"] + second["runs"]] == ids[::-1]
    assert second["next_before"] is None
    assert len(body(call("GET", "/runs?kind=live"))["runs"]) == 1


def test_runs_are_filtered(call, tenant):
    extension = make_extension(tenant)
    make_run(extension, kind="full", status="failed")
    make_run(extension)
    assert [run["kind"] for run in body(call("GET", "/runs?status=failed"))["runs"]] == ["full"]
    assert len(body(call("GET", "/runs?kind=full"))["runs"]) == 1


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "kind=all", "status=done", "before=0", "before=" + "9" * 40]
)
def test_a_filter_that_does_not_exist_is_422(call, query):
    assert problem_of(call("GET", "/runs?" + query), 422)["errors"]


def test_a_run_is_started_and_joined(call, tenant):
    make_extension(tenant)
    first = body(call("POST", "/runs", {"kind": "full", "reason": "after the sale"}), 202)
    assert (first["status"], first["trigger"], first["reason"]) == ("queued", "api", "after the sale")
    assert body(call("POST", "/runs", {"kind": "full"}), 202)["id"] == first["id"]
    assert SyncRun.objects.count() == 1


@pytest.mark.parametrize(
    "given",
    [{"kind": "live"}, {"kind": 5}, {"force": 1}, {"reason": []}, {"more": 1}, [], {"reason": "\u0000"}],
)
def test_a_start_that_cannot_be_read_is_422(call, tenant, given):
    make_extension(tenant)
    problem_of(call("POST", "/runs", given), 422)


def test_without_a_connection_nothing_can_run(call, tenant):
    problem_of(call("POST", "/runs", {}), 409)
    make_extension(tenant, is_active=False)
    problem_of(call("POST", "/runs", {}), 409)
    problem_of(call("POST", "/runs", {"extension": "Klaviyo"}), 409)
    problem_of(call("POST", "/runs", {"extension": "Other"}), 404)


def test_among_several_connections_one_must_be_named(call, tenant):
    make_extension(tenant, "One", destination="a")
    make_extension(tenant, "Two", destination="b")
    assert "“One”, “Two”" in problem_of(call("POST", "/runs", {}), 422)["errors"][0]["detail"]
    assert body(call("POST", "/runs", {"extension": "Two"}), 202)["extension"] == "Two"


def test_a_run_is_run_again(call, tenant):
    run = make_run(make_extension(tenant))
    again = body(call("POST", f"/runs/{run.pk}/rerun", {"reason": "mended"}), 202)
    assert (again["parent_id"], again["trigger"]) == (run.pk, "rerun")
    problem_of(call("POST", f"/runs/{again['id']}/rerun", {}), 409)
    problem_of(call("POST", f"/runs/{run.pk}/rerun", {"failed_only": True}), 409)


def test_a_viewer_of_another_tenant_sees_only_their_own(tenant):
    other = make_tenant("other")
    mine = make_run(make_extension(tenant))
    theirs = make_run(make_extension(other), status=RunStatus.FAILED)
    assert [run["id"] for run in body(caller(other)("GET", "/runs"))["runs"]] == [theirs.pk]
    assert [run["id"] for run in body(caller(tenant)("GET", "/runs"))["runs"]] == [mine.pk]


def test_an_open_run_is_cancelled_once(call, tenant):
    run = make_run(make_extension(tenant), status="running")
    shown = body(call("POST", f"/runs/{run.pk}/cancel", {"reason": "Wrong mapping"}))
    assert (shown["status"], shown["note"]) == ("cancelled", "Cancelled by the API: Wrong mapping.")
    problem_of(call("POST", f"/runs/{run.pk}/cancel", {}), 409)


def test_another_tenants_run_is_not_cancelled(call):
    run = make_run(make_extension(make_tenant()), status="running")
    problem_of(call("POST", f"/runs/{run.pk}/cancel", {}), 404)
    run.refresh_from_db()
    assert run.status == "running"
