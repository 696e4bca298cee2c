import pytest

from tests.klaviyo.sandbox.conftest import profile


def _job(kind, word, people, list_id=None, **attributes):
    rows = []
    for email, more in people:
        marketing = {"consent": word, **more}
        rows.append(profile({"email": email, "subscriptions": {"email": {"marketing": marketing}}}))
    data = {"type": kind, "attributes": {**attributes, "profiles": {"data": rows}}}
    if list_id:
        data["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
    return {"data": data}


@pytest.fixture
def subscribe(api):
    def call(*people, list_id=None, **attributes):
        rows = [one if isinstance(one, tuple) else (one, {}) for one in people]
        body = _job("profile-subscription-bulk-create-job", "SUBSCRIBED", rows, list_id, **attributes)
        return api("POST", "/api/profile-subscription-bulk-create-jobs", body)

    return call


@pytest.fixture
def unsubscribe(api):
    def call(*emails, list_id=None):
        rows = [(email, {}) for email in emails]
        body = _job("profile-subscription-bulk-delete-job", "UNSUBSCRIBED", rows, list_id)
        return api("POST", "/api/profile-subscription-bulk-delete-jobs", body)

    return call


def _consent(account, email):
    return account.profile(email=email)["subscriptions"]["email"]["marketing"]["consent"]


def test_single_opt_in_subscribes_and_joins(account, make_list, subscribe):
    vip = make_list(opt_in_process="single_opt_in")
    assert subscribe("a@acme.io", list_id=vip).status_code == 202
    assert _consent(account, "a@acme.io") == "SUBSCRIBED"
    assert account.members(vip)["emails"] == ["a@acme.io"]


def test_double_opt_in_waits_for_the_person(account, make_list, subscribe):
    vip = make_list()
    assert subscribe("a@acme.io", list_id=vip).status_code == 202
    assert _consent(account, "a@acme.io") == "NEVER_SUBSCRIBED"
    assert account.members(vip)["emails"] == []
    account.confirm("a@acme.io")
    assert _consent(account, "a@acme.io") == "SUBSCRIBED"
    assert account.members(vip)["emails"] == ["a@acme.io"]


def test_history_needs_a_past_date_and_starts_no_flow(account, make_list, subscribe):
    vip = make_list()
    account.flow("Welcome", list=vip)
    past, future = {"consented_at": "2024-01-01T00:00:00Z"}, {"consented_at": "2099-01-01T00:00:00Z"}
    assert subscribe(("a@acme.io", past), list_id=vip).status_code == 400
    assert subscribe(("a@acme.io", future), list_id=vip, historical_import=True).status_code == 400
    assert subscribe("a@acme.io", list_id=vip, historical_import=True).status_code == 400
    assert subscribe(("a@acme.io", past), list_id=vip, historical_import=True).status_code == 202
    assert _consent(account, "a@acme.io") == "SUBSCRIBED"
    assert account.flow_log() == []


def test_subscribe_lifts_an_unsubscribe_but_no_bounce(account, subscribe, unsubscribe):
    account.settings(default_opt_in="single_opt_in")
    subscribe("a@acme.io")
    unsubscribe("a@acme.io")
    account.suppress("a@acme.io", "HARD_BOUNCE")
    subscribe("a@acme.io")
    marketing = account.profile(email="a@acme.io")["subscriptions"]["email"]["marketing"]
    assert marketing["consent"] == "SUBSCRIBED"
    assert [row["reason"] for row in marketing["suppression"]] == ["HARD_BOUNCE"]


def test_unsubscribe_from_a_list_is_global_for_a_stranger_to_it(account, make_list, subscribe, unsubscribe):
    account.settings(default_opt_in="single_opt_in")
    vip = make_list(opt_in_process="single_opt_in")
    subscribe("on@acme.io", list_id=vip)
    subscribe("off@acme.io")
    unsubscribe("on@acme.io", "off@acme.io", list_id=vip)
    assert _consent(account, "on@acme.io") == "SUBSCRIBED"
    assert account.members(vip)["emails"] == []
    assert _consent(account, "off@acme.io") == "UNSUBSCRIBED"


def test_limits_of_people(subscribe, unsubscribe):
    assert unsubscribe(*[f"u{number}@acme.io" for number in range(101)]).status_code == 400
    assert subscribe(*[f"u{number}@acme.io" for number in range(1_001)]).status_code == 400


def test_imports_touch_no_consent(account, run_import, make_list, subscribe):
    account.settings(default_opt_in="single_opt_in")
    subscribe("a@acme.io")
    account.unsubscribe("a@acme.io")
    run_import([{"email": "a@acme.io", "first_name": "Ana"}], (make_list(),))
    assert _consent(account, "a@acme.io") == "UNSUBSCRIBED"


def test_suppression_job(api, account):
    def job(kind):
        inner = {"profiles": {"data": [profile({"email": "a@acme.io"})]}}
        answer = api("POST", f"/api/{kind}s", {"data": {"type": kind, "attributes": inner}})
        account.wait_for_jobs()
        return api("GET", f"/api/{kind}s/{answer.json()['data']['id']}").json()["data"]["attributes"][
            "status"
        ]

    assert job("profile-suppression-bulk-create-job") == "complete"
    path = '/api/profiles?filter=equals(subscriptions.email.marketing.suppression.reason,"USER_SUPPRESSED")'
    assert len(api("GET", path).json()["data"]) == 1
    assert job("profile-suppression-bulk-delete-job") == "complete"
    assert api("GET", path).json()["data"] == []
