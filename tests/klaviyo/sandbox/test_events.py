from datetime import UTC, datetime, timedelta

import pytest

from tests.klaviyo.sandbox.conftest import event, profile


def _bulk(groups):
    data = [
        {
            "type": "event-bulk-create",
            "attributes": {
                **more,
                "profile": {"data": profile({"email": email})},
                "events": {"data": [{"type": "event", "attributes": one} for one in events]},
            },
        }
        for email, events, more in groups
    ]
    return {"data": {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": data}}}}


def _one(unique_id, metric="Points Earned", **more):
    named = {"data": {"type": "metric", "attributes": {"name": metric}}}
    return {"properties": {"Points": 5}, "metric": named, "unique_id": unique_id, **more}


def test_event_is_kept_once_and_makes_the_profile(api, account):
    body = event(
        "ana@acme.io", unique_id="u1", properties={"Points": 50, "Zero": 0, "Empty": "", "No": False}
    )
    answers = [api("POST", "/api/events", body) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b""), (202, b"")]
    (kept,) = account.events(metric="Points Earned")
    assert kept["properties"] == {"Points": 50, "No": False}
    assert account.profile(email="ana@acme.io")
    totals = account.stats()["endpoints"]["POST /api/events"]
    assert (totals["events_written"], totals["events_repeated"]) == (1, 1)


def test_without_an_id_the_second_is_the_id(api, account):
    for seconds in ("10:00:00Z", "10:00:00.900Z", "10:00:01Z"):
        api("POST", "/api/events", event("ana@acme.io", time=f"2026-07-01T{seconds}"))
    assert len(account.events()) == 2


def test_metric_flow_starts_per_event_but_not_for_backfill(api, account):
    account.flow("Thanks", metric="Points Earned")
    api("POST", "/api/events", event("a@acme.io", unique_id="1"))
    api("POST", "/api/events", event("a@acme.io", unique_id="2", backfill=True))
    assert [start["source"] for start in account.flow_log()] == ["Points Earned 1"]
    (metric,) = api("GET", "/api/metrics").json()["data"]
    assert len(api("GET", f"/api/metrics/{metric['id']}/flow-triggers").json()["data"]) == 1


def test_backfill_is_unknown_to_older_revisions(api):
    body = event("a@acme.io", backfill=True)
    assert api("POST", "/api/events", body, headers={"revision": "2026-04-15"}).status_code == 400


@pytest.mark.parametrize("days", [-366 * 40, 367])
def test_times_out_of_range_are_refused(api, days):
    at = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    assert api("POST", "/api/events", event("a@acme.io", time=at)).status_code == 400


def test_bulk_keeps_all_or_nothing(api, account):
    repeated = _bulk([("a@acme.io", [_one("1"), _one("1")], {})])
    assert api("POST", "/api/event-bulk-create-jobs", repeated).status_code == 400
    bad = _bulk([("a@acme.io", [_one("1")], {}), ("bad@", [_one("2")], {})])
    answer = api("POST", "/api/event-bulk-create-jobs", bad)
    pointer = "/data/attributes/events-bulk-create/data/1/attributes/profile/data/attributes/email"
    assert answer.json()["errors"][0]["source"]["pointer"] == pointer
    assert account.events() == []
    good = _bulk([("a@acme.io", [_one("1"), _one("2")], {"backfill": True}), ("b@acme.io", [_one("1")], {})])
    assert api("POST", "/api/event-bulk-create-jobs", good).status_code == 202
    assert [(row["email"], row["backfill"]) for row in account.events()] == [
        ("a@acme.io", True),
        ("a@acme.io", True),
        ("b@acme.io", False),
    ]


def test_bulk_takes_a_thousand(api):
    events = [_one(str(number)) for number in range(1_001)]
    assert api("POST", "/api/event-bulk-create-jobs", _bulk([("a@acme.io", events, {})])).status_code == 400
    assert (
        api("POST", "/api/event-bulk-create-jobs", _bulk([("a@acme.io", events[1:], {})])).status_code == 202
    )


def test_events_are_read_by_profile_and_time_with_includes(api, account):
    for day in (1, 2, 3):
        api("POST", "/api/events", event("a@acme.io", unique_id=str(day), time=f"2026-07-0{day}T00:00:00Z"))
    person = account.profile(email="a@acme.io")["id"]
    path = (
        f'/api/events?filter=equals(profile_id,"{person}"),greater-or-equal(datetime,2026-07-02T00:00:00Z)'
        "&sort=datetime&include=profile,metric"
    )
    body = api("GET", path).json()
    assert [row["attributes"]["event_properties"]["$event_id"] for row in body["data"]] == ["2", "3"]
    assert {row["type"] for row in body["included"]} == {"profile", "metric"}
    assert api("GET", f"/api/events/{body['data'][0]['id']}").json()["data"]["id"] == body["data"][0]["id"]


def test_test_domains_vanish_only_when_the_trap_is_set(api, account):
    api("POST", "/api/events", event("a@example.com", unique_id="1"))
    account.settings(drop_test_domains=True)
    assert api("POST", "/api/events", event("a@example.com", unique_id="2")).status_code == 202
    assert [row["unique_id"] for row in account.events()] == ["1"]
