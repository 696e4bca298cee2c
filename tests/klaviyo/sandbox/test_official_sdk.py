"""Contract: Klaviyo's own SDK must be content with what the sandbox answers."""

import pytest
from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException

from tests.klaviyo.sandbox.conftest import event, import_body, profile


@pytest.fixture
def sdk(sandbox, account):
    return KlaviyoAPI(account.key, test_host=sandbox.url, max_retries=1)


def _get(value, *names):
    for name in names:
        value = value[name] if isinstance(value, dict | list) else getattr(value, name)
    return value


def test_accounts(sdk):
    answer = sdk.Accounts.get_accounts()
    assert _get(answer, "data", 0, "attributes", "public_api_key")


def test_profiles(sdk, account):
    made = sdk.Profiles.create_profile({"data": profile({"email": "a@acme.io", "properties": {"Points": 1}})})
    identifier = _get(made, "data", "id")
    sdk.Profiles.update_profile(identifier, {"data": profile({"first_name": "Ana"}, id=identifier)})
    sdk.Profiles.create_or_update_profile({"data": profile({"email": "a@acme.io", "last_name": "Rossi"})})
    read = sdk.Profiles.get_profile(identifier, additional_fields_profile=["subscriptions"])
    assert _get(read, "data", "attributes", "last_name") == "Rossi"
    listed = sdk.Profiles.get_profiles(filter='equals(email,"a@acme.io")')
    assert [_get(row, "id") for row in _get(listed, "data")] == [identifier]
    with pytest.raises(ApiException) as conflict:
        sdk.Profiles.create_profile({"data": profile({"email": "a@acme.io"})})
    assert conflict.value.status == 409
    assert account.stats()["violations"] == []


def test_bulk_import_and_errors(sdk, account):
    account.refuse("no@acme.io")
    body = import_body([{"email": "a@acme.io"}, {"email": "no@acme.io"}])
    job = _get(sdk.Profiles.bulk_import_profiles(body), "data", "id")
    account.wait_for_jobs()
    assert _get(sdk.Profiles.get_bulk_import_profiles_job(job), "data", "attributes", "failed_count") == 1
    errors = sdk.Profiles.get_errors_for_bulk_import_profiles_job(job)
    assert _get(errors, "data", 0, "attributes", "original_payload")["email"] == "no@acme.io"
    assert len(_get(sdk.Profiles.get_profiles_for_bulk_import_profiles_job(job), "data")) == 1
    assert len(_get(sdk.Profiles.get_bulk_import_profiles_jobs(), "data")) == 1


def test_lists_and_membership(sdk, account):
    made = sdk.Lists.create_list({"data": {"type": "list", "attributes": {"name": "VIP"}}})
    vip = _get(made, "data", "id")
    person = _get(sdk.Profiles.create_profile({"data": profile({"email": "a@acme.io"})}), "data", "id")
    members = {"data": [{"type": "profile", "id": person}]}
    sdk.Lists.add_profiles_to_list(vip, members)
    assert [_get(row, "id") for row in _get(sdk.Lists.get_profiles_for_list(vip), "data")] == [person]
    assert [_get(row, "id") for row in _get(sdk.Lists.get_profile_ids_for_list(vip), "data")] == [person]
    assert _get(
        sdk.Lists.get_list(vip, additional_fields_list=["profile_count"]), "data", "attributes", "name"
    )
    sdk.Lists.remove_profiles_from_list(vip, members)
    assert account.members(vip)["emails"] == []
    assert len(_get(sdk.Lists.get_lists(), "data")) == 1
    assert _get(sdk.Lists.get_flows_triggered_by_list(vip), "data") == []


def test_events_and_metrics(sdk, account):
    sdk.Events.create_event(event("a@acme.io", unique_id="1", properties={"Points": 5}, backfill=True))
    group = {
        "profile": {"data": profile({"email": "a@acme.io"})},
        "events": {"data": [{"type": "event", "attributes": _attributes("2")}]},
    }
    rows = {"data": [{"type": "event-bulk-create", "attributes": group}]}
    sdk.Events.bulk_create_events(
        {"data": {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": rows}}}
    )
    assert [row["unique_id"] for row in account.events()] == ["1", "2"]
    listed = sdk.Events.get_events(include=["profile", "metric"])
    assert len(_get(listed, "data")) == 2
    metric = _get(sdk.Metrics.get_metrics(), "data", 0)
    assert _get(metric, "attributes", "name") == "Points Earned"
    assert _get(sdk.Metrics.get_metric(_get(metric, "id")), "data", "attributes", "name") == "Points Earned"
    assert account.stats()["violations"] == []


def test_consent(sdk, account):
    account.settings(default_opt_in="single_opt_in")
    wish = {"email": {"marketing": {"consent": "SUBSCRIBED"}}}
    rows = {"data": [profile({"email": "a@acme.io", "subscriptions": wish})]}
    sdk.Profiles.bulk_subscribe_profiles(
        {"data": {"type": "profile-subscription-bulk-create-job", "attributes": {"profiles": rows}}}
    )
    found = sdk.Profiles.get_profiles(additional_fields_profile=["subscriptions"])
    consent = _get(found, "data", 0, "attributes", "subscriptions", "email", "marketing", "consent")
    assert consent == "SUBSCRIBED"


def _attributes(unique_id):
    metric = {"data": {"type": "metric", "attributes": {"name": "Points Earned"}}}
    return {"properties": {"Points": 1}, "metric": metric, "unique_id": unique_id}
