def _members(ids):
    return {"data": [{"type": "profile", "id": one} for one in ids]}


def test_lists_come_ten_a_page_and_by_name(api, make_list):
    for number in range(12):
        make_list(f"List {number}")
    page = api("GET", "/api/lists").json()
    assert len(page["data"]) == 10
    assert page["links"]["next"]
    assert api("GET", "/api/lists?page[size]=11").status_code == 400
    found = api("GET", "/api/lists?filter=any(name,[\"List 3\",'List 11'])").json()["data"]
    assert {row["attributes"]["name"] for row in found} == {"List 3", "List 11"}


def test_membership_is_idempotent_and_all_or_nothing(api, account, make_list, run_import):
    vip = make_list()
    run_import([{"email": "a@acme.io"}, {"email": "b@acme.io"}])
    ids = [account.profile(email=email)["id"] for email in ("a@acme.io", "b@acme.io")]
    path = f"/api/lists/{vip}/relationships/profiles"
    answer = api("POST", path, _members([*ids, "NOBODY"]))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"] == "Invalid profile IDs: NOBODY"
    assert account.members(vip)["emails"] == []
    assert api("POST", path, _members(ids)).status_code == 204
    assert api("POST", path, _members(ids)).status_code == 204
    assert account.members(vip)["emails"] == ["a@acme.io", "b@acme.io"]
    assert api("DELETE", path, _members(ids[:1])).status_code == 204
    assert api("DELETE", path, _members(ids[:1])).status_code == 204
    assert account.members("VIP")["emails"] == ["b@acme.io"]


def test_members_tell_when_they_joined(api, account, make_list, run_import):
    vip = make_list()
    run_import([{"email": "a@acme.io"}], (vip,))
    (row,) = api("GET", f"/api/lists/{vip}/profiles?filter=equals(email,['a@acme.io'])").json()["data"]
    assert row["attributes"]["joined_group_at"]
    later = api(
        "GET",
        f"/api/lists/{vip}/relationships/profiles?filter=greater-than(joined_group_at,2099-01-01T00:00:00Z)",
    )
    assert later.json()["data"] == []


def test_list_flow_starts_once_per_person(api, account, make_list, run_import):
    vip = make_list()
    account.flow("Welcome", list="VIP")
    run_import([{"email": "a@acme.io"}], (vip,))
    person = account.profile(email="a@acme.io")["id"]
    path = f"/api/lists/{vip}/relationships/profiles"
    api("DELETE", path, _members([person]))
    api("POST", path, _members([person]))
    assert [start["email"] for start in account.flow_log()] == ["a@acme.io"]
    (flow,) = api("GET", f"/api/lists/{vip}/flow-triggers").json()["data"]
    assert flow["attributes"]["trigger_type"] == "Added to List"


def test_deleted_list_is_404(api, make_list):
    vip = make_list()
    assert (
        api("GET", f"/api/lists/{vip}?additional-fields[list]=profile_count").json()["data"]["attributes"][
            "profile_count"
        ]
        == 0
    )
    body = {"data": {"type": "list", "id": vip, "attributes": {"name": "Gold"}}}
    assert api("PATCH", f"/api/lists/{vip}", body).json()["data"]["attributes"]["name"] == "Gold"
    assert api("DELETE", f"/api/lists/{vip}").status_code == 204
    assert api("GET", f"/api/lists/{vip}").status_code == 404


def test_lists_of_one_person(api, account, make_list, run_import):
    run_import([{"email": "a@acme.io"}], (make_list("One"), make_list("Two")))
    person = account.profile(email="a@acme.io")["id"]
    rows = api("GET", f"/api/profiles/{person}/lists").json()["data"]
    assert [row["attributes"]["name"] for row in rows] == ["One", "Two"]
    assert len(api("GET", f"/api/profiles/{person}/relationships/lists").json()["data"]) == 2
