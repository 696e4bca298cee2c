import pytest

from integrations.errors import UnexpectedAnswer
from integrations.klaviyo import paging, protocol
from tests.klaviyo.samples import answer

BASE = "https://a.klaviyo.com"
CALL = protocol.read_list_profiles("L1")


def next_page(address: object, base: str = BASE) -> protocol.Call | None:
    return paging.next_page(CALL, answer(200, {"data": [], "links": {"next": address}}), base)


@pytest.mark.parametrize(
    "base", [BASE, "https://a.klaviyo.com:443", "http://127.0.0.1:8400", "https://proxy.example/klaviyo"]
)
def test_the_next_page_is_below_the_base_url(base: str) -> None:
    call = next_page(f"{base}/api/lists/L1/profiles?page%5Bcursor%5D=a%2Bb", base)
    assert call is not None
    assert (call.target, call.endpoint, call.subject) == (
        "/api/lists/L1/profiles?page%5Bcursor%5D=a%2Bb",
        CALL.endpoint,
        "L1",
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/api/lists?x=1",
        "http://a.klaviyo.com/api/lists",
        "https://a.klaviyo.com:444/api/lists",
        "https://a.klaviyo.com:x/api/lists",
        "https://a.klaviyo.com@evil.example/api",
        "/api/lists",
        "https://[::1/api",
        7,
    ],
)
def test_another_origin_is_not_followed(address: object) -> None:
    with pytest.raises(UnexpectedAnswer, match="not followed"):
        next_page(address)


def test_a_link_to_the_same_page_is_an_error() -> None:
    with pytest.raises(UnexpectedAnswer, match="back"):
        next_page(BASE + CALL.target)


@pytest.mark.parametrize("links", [None, [], {}, {"next": None}, {"next": ""}])
def test_without_a_link_the_collection_ends(links: object) -> None:
    assert paging.next_page(CALL, answer(200, {"data": [], "links": links}), BASE) is None


def test_a_collection_that_never_ends_is_stopped() -> None:
    cap = paging.CAPS[CALL.endpoint]
    paging.check_cap(CALL, cap)
    with pytest.raises(UnexpectedAnswer, match="did not end"):
        paging.check_cap(CALL, cap + 1)
