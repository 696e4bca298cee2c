import pytest
import requests

from tests.klaviyo.sandbox.conftest import event


@pytest.fixture
def get(sandbox):
    def call(path):
        return requests.get(sandbox.url + path, timeout=20)

    return call


def test_every_page_shows_what_arrived(get, api, account, make_list, run_import):
    account.flow("Welcome", list=make_list("VIP & friends"))
    account.refuse("no@acme.io")
    run_import(
        [{"email": "a@acme.io", "properties": {"<b>Tier</b>": "<script>"}}, {"email": "no@acme.io"}],
        (account.lists()[0]["id"],),
    )
    api("POST", "/api/events", event("a@acme.io", unique_id="1", properties={"Points": 5}))
    person = account.profile(email="a@acme.io")["id"]
    base = f"/accounts/{account.name}"
    expected = {
        "/": account.name,
        base: "POST /api/events",
        f"{base}/profiles": "a@acme.io",
        f"{base}/profiles?q=a%40": "a@acme.io",
        f"{base}/profiles/{person}": "&lt;script&gt;",
        f"{base}/lists": "VIP &amp; friends",
        f"{base}/events": "Points Earned",
        f"{base}/jobs": "complete",
        f"{base}/flows": "Added to List",
        f"{base}/requests": "/api/events",
    }
    for path, text in expected.items():
        answer = get(path)
        assert answer.status_code == 200, path
        assert text in answer.text, path
        assert "<script" not in answer.text
        assert "nothing leaves this machine" in answer.text
    list_page = get(f"{base}/lists").text.partition(f"{base}/lists/")[2].partition('"')[0]
    assert "a@acme.io" in get(f"{base}/lists/{list_page}").text
    job_page = get(f"{base}/jobs").text.partition(f"{base}/jobs/")[2].partition('"')[0]
    assert "no@acme.io" in get(f"{base}/jobs/{job_page}").text


def test_the_addresses_of_klaviyos_own_pages_lead_here(get, api, account, make_list):
    made = make_list("VIP")
    api("POST", "/api/events", event("a@acme.io", unique_id="1", properties={"Points": 5}))
    person = account.profile(email="a@acme.io")["id"]
    assert "VIP" in get(f"/list/{made}").text
    assert "a@acme.io" in get(f"/profile/{person}").text
    assert f"/accounts/{account.name}/lists/" in get(f"/list/{made}").url


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/nobody",
        "/nothing",
        "/accounts",
        "/accounts/nobody/profiles/x",
        "/list/ZzZz99",
        "/list/x",
        "/profile/01H",
    ],
)
def test_unknown_pages_are_404(get, path):
    assert get(path).status_code == 404
