import requests

from tests.klaviyo.sandbox.conftest import import_body, profile
from tests.klaviyo.sandbox_process import SandboxProcess


def test_import_joins_lists_and_reports_counts(api, account, make_list, run_import):
    vip = make_list()
    job = run_import([{"email": "Ana@acme.io", "external_id": "M-1"}, {"email": "bo@acme.io"}], (vip,))
    shown = api("GET", f"/api/profile-bulk-import-jobs/{job}").json()["data"]["attributes"]
    assert (shown["status"], shown["total_count"], shown["completed_count"], shown["failed_count"]) == (
        "complete",
        2,
        2,
        0,
    )
    assert account.members("VIP")["emails"] == ["ana@acme.io", "bo@acme.io"]
    assert account.stats()["totals"]["profiles_written"] == 2
    ids = api("GET", f"/api/profile-bulk-import-jobs/{job}/relationships/profiles").json()["data"]
    assert {row["id"] for row in ids} == {row["id"] for row in account.profiles()}


def test_bad_rows_refuse_the_whole_job_with_pointers(api, account):
    rows = [{"email": "good@acme.io"}, {"email": "bad@"}, {"email": "x@acme.io", "phone_number": "0123"}]
    answer = api("POST", "/api/profile-bulk-import-jobs", import_body(rows))
    assert answer.status_code == 400
    assert [error["source"]["pointer"] for error in answer.json()["errors"]] == [
        "/data/attributes/profiles/data/1/attributes/email",
        "/data/attributes/profiles/data/2/attributes/phone_number",
    ]
    assert account.jobs() == []


def test_unknown_list_is_refused_without_a_row(api):
    answer = api("POST", "/api/profile-bulk-import-jobs", import_body([{"email": "a@acme.io"}], ("nope12",)))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"]["pointer"] == "/data/relationships/lists/data"


def test_misspelt_relationship_has_no_effect_and_is_a_violation(api, account, make_list):
    body = import_body([{"email": "a@acme.io"}])
    body["data"]["relationships"] = {"list": {"data": {"type": "list", "id": make_list()}}}
    assert api("POST", "/api/profile-bulk-import-jobs", body).status_code == 202
    account.wait_for_jobs()
    assert account.members("VIP")["emails"] == []
    assert [row["pointer"] for row in account.stats()["violations"]] == ["/data/relationships/list"]


def test_late_refusals_are_import_errors_while_the_rest_succeed(api, account, run_import):
    account.refuse("no@acme.io", detail="Suppressed role address")
    run_import([{"email": "a@acme.io", "external_id": "A"}, {"email": "b@acme.io"}])
    job = run_import(
        [
            {"email": "no@acme.io", "external_id": "N"},
            {"email": "b@acme.io", "external_id": "A"},
            {"email": "ok@acme.io"},
        ]
    )
    errors = api("GET", f"/api/profile-bulk-import-jobs/{job}/import-errors").json()["data"]
    found = {row["attributes"]["code"]: row["attributes"] for row in errors}
    assert found["invalid"]["detail"] == "Suppressed role address"
    assert found["invalid"]["original_payload"] == {"email": "no@acme.io", "external_id": "N"}
    assert found["duplicate_profile"]["source"]["pointer"] == "/data/attributes/profiles/data/1"
    assert account.jobs()[-1]["failed"] == 2
    assert account.profiles(email="ok@acme.io")


def test_import_errors_are_paged(api, account, run_import):
    emails = [f"no{number}@acme.io" for number in range(45)]
    account.refuse(*emails)
    job = run_import([{"email": email} for email in emails])
    seen, path = [], f"/api/profile-bulk-import-jobs/{job}/import-errors"
    while path:
        page = api("GET", path).json()
        seen += [row["attributes"]["original_payload"]["email"] for row in page["data"]]
        following = page["links"]["next"]
        path = following.partition("//")[2].partition("/")[2] if following else ""
        path = "/" + path if path else ""
    assert sorted(seen) == sorted(emails)


def test_null_clears_nothing_and_unset_removes(account, run_import):
    run_import([{"email": "a@acme.io", "first_name": "Ana", "properties": {"Old": 1, "Tags": ["x"]}}])
    patch = {"patch_properties": {"unset": "Old", "append": {"Tags": "y"}}}
    run_import([profile({"email": "a@acme.io", "first_name": None}, meta=patch)])
    found = account.profile(email="a@acme.io")
    assert found["first_name"] == "Ana"
    assert found["properties"] == {"Tags": ["x", "y"]}


def test_repeated_identifier_in_one_job_is_dropped_and_counted(account, run_import):
    run_import([{"email": "a@acme.io", "first_name": "One"}, {"email": "A@acme.io", "first_name": "Two"}])
    assert (account.jobs()[0]["done"], account.jobs()[0]["failed"]) == (1, 1)
    assert account.profile(email="a@acme.io")["first_name"] in ("One", "Two")


def test_refusal_without_pointers(api, account):
    account.refuse("no@acme.io", mode="now", detail="Something is wrong")
    answer = api("POST", "/api/profile-bulk-import-jobs", import_body([{"email": "no@acme.io"}]))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"] == {"pointer": "/data"}


def test_limits_of_size(api):
    too_many = [{"email": f"u{number}@acme.io"} for number in range(10_001)]
    assert api("POST", "/api/profile-bulk-import-jobs", import_body(too_many)).status_code == 400
    wide = [{"email": "a@acme.io", "properties": {"x": "y" * 100_000}} for _ in range(55)]
    assert api("POST", "/api/profile-bulk-import-jobs", import_body(wide)).status_code == 413
    row = [{"email": "a@acme.io", "properties": {"x": "y" * 103_000}}]
    answer = api("POST", "/api/profile-bulk-import-jobs", import_body(row))
    assert answer.json()["errors"][0]["source"]["pointer"] == "/data/attributes/profiles/data/0"


def test_job_goes_from_queued_to_processing_to_complete(api, account):
    account.lag(0.4)
    answer = api("POST", "/api/profile-bulk-import-jobs", import_body([{"email": "a@acme.io"}]))
    assert answer.json()["data"]["attributes"]["status"] == "queued"
    account.wait(lambda one: one.jobs()[0]["status"] == "processing")
    assert account.profiles() == []
    account.wait(lambda one: one.jobs()[0]["status"] == "complete")
    assert api("GET", "/api/profile-bulk-import-jobs?filter=equals(status,'complete')").json()["data"]


def test_job_survives_a_crash(tmp_path):
    process = SandboxProcess(data=tmp_path / "k.sqlite3", lag=1)
    with process:
        account = process.account("acme")
        headers = {
            "Authorization": "Klaviyo-API-Key pk_acme_x",
            "revision": "2026-07-15",
            "Content-Type": "application/vnd.api+json",
        }
        url = process.url + "/api/profile-bulk-import-jobs"
        body = import_body([{"email": "a@acme.io"}])
        assert requests.post(url, json=body, headers=headers, timeout=5).status_code == 202
        process.kill()
        process.start()
        account.wait_for_jobs()
        assert account.profile(email="a@acme.io")
