"""Keys, revisions, scopes, limits and planned faults."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.klaviyo.sandbox.conftest import profile

PERSON = {"data": profile({"email": "a@acme.io"})}


@pytest.mark.parametrize(
    "authorization", [None, "Klaviyo-API-Key nonsense", "Bearer token", "Basic eDp5", "Klaviyo-API-Key"]
)
def test_bad_credentials_are_401(api, authorization):
    answer = api("GET", "/api/lists", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "not_authenticated"
    assert "Www-Authenticate" in answer.headers
    assert "Cid" not in answer.headers


def test_missing_scope_is_named(api, account):
    account.scopes(["lists:read"])
    assert api("GET", "/api/lists").status_code == 200
    answer = api("POST", "/api/profile-import", PERSON)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "permission_denied"
    assert "profiles:write" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("wanted", "served"),
    [
        ("2026-07-15", "2026-07-15"),
        ("2026-10-15", "2026-10-15"),
        ("2026-08-01", "2026-07-15"),
        ("2023-02-22", "2025-01-15"),
    ],
)
def test_revision_is_echoed(api, wanted, served):
    answer = api("GET", "/api/lists", headers={"revision": wanted})
    assert (answer.status_code, answer.headers["X-Klaviyo-Api-Revision"]) == (200, served)


def test_revision_is_required(api):
    assert api("GET", "/api/lists", headers={"revision": None}).status_code == 400


def test_wrong_paths_methods_and_types(api):
    assert api("GET", "/api/nothing").status_code == 404
    assert api("DELETE", "/api/accounts").status_code == 405
    assert (
        api("POST", "/api/profile-import", PERSON, headers={"Content-Type": "text/plain"}).status_code == 415
    )


def test_limits_are_windows_per_endpoint(api, account):
    account.limits(1)
    answers = [api("GET", "/api/accounts") for _ in range(2)]
    assert answers[0].headers["RateLimit-Limit"] == "1, 1;w=1, 15;w=60"
    if answers[1].status_code == 200:  # the second turned between the two
        answers = [answers[1], api("GET", "/api/accounts")]
    refused = answers[1]
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert "RateLimit-Limit" not in refused.headers
    assert refused.json()["errors"][0]["code"] == "throttled"
    assert api("GET", "/api/lists").status_code == 200
    assert account.stats()["endpoints"]["GET /api/accounts"]["throttled"] >= 1


def test_profile_count_costs_a_lower_limit(api, account, make_list):
    vip = make_list()
    account.limits(1)
    path = f"/api/lists/{vip}?additional-fields[list]=profile_count"
    assert 429 in [api("GET", path).status_code for _ in range(3)]
    assert api("GET", f"/api/lists/{vip}").status_code == 200


def test_times_are_exact_under_concurrency(sandbox, account):
    account.fault("POST /api/profile-import", "status", status=503, times=7, after=3)
    headers = {
        "Authorization": f"Klaviyo-API-Key {account.key}",
        "revision": "2026-07-15",
        "Content-Type": "application/vnd.api+json",
    }

    def call(_):
        return requests.post(
            sandbox.url + "/api/profile-import", json=PERSON, headers=headers, timeout=20
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(call, range(40)))
    assert codes.count(503) == 7
    assert account.faults()[0]["fired"] == 7


def test_timeout_after_commit_has_done_the_work(api, account):
    account.fault("*", "timeout_after_commit")
    with pytest.raises(requests.ConnectionError):
        api("POST", "/api/profile-import", PERSON)
    assert account.profile(email="a@acme.io")
    assert api("POST", "/api/profile-import", PERSON).status_code == 200


def test_reset_has_not(api, account):
    account.fault("POST /api/profile-import", "reset")
    with pytest.raises(requests.ConnectionError):
        api("POST", "/api/profile-import", PERSON)
    assert account.profiles() == []


@pytest.mark.parametrize(
    ("kind", "plan", "status"),
    [
        ("html_502", {}, 502),
        ("revoked", {}, 401),
        ("scope_missing", {}, 403),
        ("throttle", {"seconds": 2}, 429),
        ("status", {"status": 500}, 500),
    ],
)
def test_faults_that_answer(api, account, kind, plan, status):
    account.fault("GET /api/lists", kind, **plan)
    answer = api("GET", "/api/lists")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("2" if kind == "throttle" else None)
    assert api("GET", "/api/lists").status_code == 200


def test_broken_json_and_hang(api, account):
    account.fault("GET /api/lists", "broken_json")
    with pytest.raises(requests.JSONDecodeError):
        api("GET", "/api/lists").json()
    account.fault("GET /api/lists", "hang", seconds=0.3)
    with pytest.raises(requests.ConnectionError):
        api("GET", "/api/lists")


def test_a_bad_plan_is_refused(account):
    with pytest.raises(LookupError, match="400"):
        account.fault("*", "earthquake")


def test_reset_drops_the_account_only(sandbox, api, account, run_import):
    run_import([{"email": "a@acme.io"}])
    other = sandbox.account("bystander")
    other.settings(seed=5)
    account.reset()
    assert account.state()["profiles"] == 0
    assert other.state()["settings"]["seed"] == 5
    assert [row["endpoint"] for row in account.requests()] == []


def test_log_holds_no_key(api, account):
    api("GET", "/api/lists")
    (line,) = account.requests()
    assert account.key not in str(line)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/lists", 200)
