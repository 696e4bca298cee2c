import pytest

from tests.klaviyo.sandbox.conftest import profile


def _import(api, attributes, **more):
    return api("POST", "/api/profile-import", {"data": profile(attributes, **more)})


def test_import_creates_then_updates_and_merges_by_key(api, account):
    created = _import(api, {"email": "Ana@Acme.io", "properties": {"A": 1, "B": 2}})
    updated = _import(api, {"email": "ana@acme.io", "external_id": "M-1", "properties": {"B": 0}})
    assert (created.status_code, updated.status_code) == (201, 200)
    assert created.json()["data"]["id"] == updated.json()["data"]["id"]
    assert account.profile(external_id="M-1")["properties"] == {"A": 1, "B": 0}


def test_null_clears_and_omission_leaves(api, account):
    _import(
        api,
        {"email": "a@acme.io", "first_name": "Ana", "last_name": "Rossi", "phone_number": "+393331234567"},
    )
    _import(api, {"email": "a@acme.io", "first_name": None, "phone_number": None})
    found = account.profile(email="a@acme.io")
    assert (found["first_name"], found["last_name"], found["phone_number"]) == (None, "Rossi", None)


def test_external_id_wins_and_adopts_the_address(api, account):
    first = _import(api, {"email": "old@acme.io", "external_id": "M-1"}).json()["data"]["id"]
    assert _import(api, {"email": "new@acme.io", "external_id": "M-1"}).json()["data"]["id"] == first
    assert account.profiles(email="old@acme.io") == []


def test_identifiers_of_two_people_are_a_conflict_that_names_the_other(api):
    _import(api, {"email": "a@acme.io", "external_id": "M-1"})
    other = _import(api, {"email": "b@acme.io"}).json()["data"]["id"]
    answer = _import(api, {"email": "b@acme.io", "external_id": "M-1"})
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert error["code"] == "duplicate_profile"
    assert error["meta"]["duplicate_profile_id"] == other
    assert error["id"] == answer.headers["X-Klaviyo-Req-Id"]


def test_bad_phone_beside_a_good_address_is_forgiven(api):
    answer = _import(api, {"email": "a@acme.io", "phone_number": "12"})
    assert answer.status_code == 201
    assert answer.headers["X-Klaviyo-Partial-Failure"] == "phone_number"
    assert _import(api, {"phone_number": "12"}).status_code == 400


def test_patch_by_id(api):
    made = _import(api, {"email": "a@acme.io"}).json()["data"]
    body = {"data": profile({"first_name": "Ana"}, id=made["id"])}
    assert (
        api("PATCH", f"/api/profiles/{made['id']}", body).json()["data"]["attributes"]["first_name"] == "Ana"
    )
    unknown = "01HZZZZZZZZZZZZZZZZZZZZZZZ"
    body["data"]["id"] = unknown
    assert api("PATCH", f"/api/profiles/{unknown}", body).status_code == 404


def test_create_refuses_a_known_person(api):
    body = {"data": profile({"email": "a@acme.io"})}
    assert api("POST", "/api/profiles", body).status_code == 201
    assert api("POST", "/api/profiles", body).status_code == 409


def test_unknown_attribute_is_refused_and_a_violation(api, account):
    answer = _import(api, {"email": "a@acme.io", "points": 5})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"]["pointer"] == "/data/attributes/points"
    assert len(account.stats()["violations"]) == 1


def test_profile_over_100_kb_is_too_large(api):
    assert _import(api, {"email": "a@acme.io", "properties": {"x": "y" * 103_000}}).status_code == 413


def test_plus_in_an_address_must_be_encoded(api):
    _import(api, {"email": "ana+vip@acme.io"})
    assert len(api("GET", '/api/profiles?filter=equals(email,"ana%2Bvip@acme.io")').json()["data"]) == 1
    assert api("GET", '/api/profiles?filter=equals(email,"ana+vip@acme.io")').json()["data"] == []


@pytest.mark.parametrize(
    "query",
    [
        "filter=equals(first_name,'x')",
        "filter=greater-or-equal(updated,2026-01-01T00:00:00Z)",
        "filter=equals(email,unquoted)",
        "filter=any(email,['a'",
        "page[size]=101",
        "page[cursor]=rubbish",
        "fields[profile]=nonsense",
        "sort=first_name",
        "include=lists",
        "unknown=1",
    ],
)
def test_what_the_endpoint_does_not_take_is_400(api, query):
    assert api("GET", f"/api/profiles?{query}").status_code == 400


def test_pages_cover_everything_once_both_ways(api, run_import):
    run_import([{"email": f"u{number}@acme.io"} for number in range(25)])
    first = api("GET", "/api/profiles?page[size]=10&sort=-updated&fields[profile]=email").json()
    pages, page = [first], first
    while page["links"]["next"]:
        page = api("GET", "/" + page["links"]["next"].split("/", 3)[3]).json()
        pages.append(page)
    emails = [row["attributes"]["email"] for shown in pages for row in shown["data"]]
    assert len(emails) == len(set(emails)) == 25
    back = api("GET", "/" + page["links"]["prev"].split("/", 3)[3]).json()
    assert back["data"] == pages[-2]["data"]
    assert set(first["data"][0]["attributes"]) == {"email"}


def test_subscriptions_come_only_when_asked_for(api):
    _import(api, {"email": "a@acme.io"})
    plain = api("GET", "/api/profiles").json()["data"][0]["attributes"]
    rich = api("GET", "/api/profiles?additional-fields[profile]=subscriptions").json()["data"][0][
        "attributes"
    ]
    assert "subscriptions" not in plain
    assert rich["subscriptions"]["email"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"


def test_merge_folds_the_source_away(api, account, make_list, run_import):
    run_import([{"email": "a@acme.io", "properties": {"A": 1}}], (make_list(),))
    source, target = (
        account.profile(email="a@acme.io")["id"],
        _import(api, {"external_id": "M-1"}).json()["data"]["id"],
    )
    body = {
        "data": {
            "type": "profile-merge",
            "id": target,
            "relationships": {"profiles": {"data": [{"type": "profile", "id": source}]}},
        }
    }
    assert api("POST", "/api/profile-merge", body).status_code == 201
    assert api("GET", f"/api/profiles/{source}").status_code == 404
    found = account.profile(external_id="M-1")
    assert (found["email"], found["properties"], found["lists"]) == ("a@acme.io", {"A": 1}, ["VIP"])


def test_erasure_takes_exactly_one_identifier(api, account):
    _import(api, {"email": "a@acme.io"})

    def erase(attributes):
        inner = {"profile": {"data": profile(attributes)}}
        body = {"data": {"type": "data-privacy-deletion-job", "attributes": inner}}
        return api("POST", "/api/data-privacy-deletion-jobs", body).status_code

    assert erase({"email": "a@acme.io", "phone_number": "+393331234567"}) == 400
    assert erase({"email": "a@acme.io"}) == 202
    assert account.profiles() == []


def test_an_address_that_is_refused_for_good_is_refused_alone_and_in_a_job(api, account, run_import):
    account.refuse("no@acme.io", detail="On the do-not-send list", mode="always")
    answer = _import(api, {"email": "no@acme.io", "external_id": "N"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"] == "On the do-not-send list"
    job = run_import([{"email": "no@acme.io"}])
    errors = api("GET", f"/api/profile-bulk-import-jobs/{job}/import-errors").json()["data"]
    assert errors[0]["attributes"]["detail"] == "On the do-not-send list"
    account.refuse(mode="always")
    assert _import(api, {"email": "no@acme.io"}).status_code == 201
