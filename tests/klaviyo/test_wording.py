import pytest

from integrations.klaviyo import wording
from tests.klaviyo.samples import error


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (error("Bad.", "/data/attributes/location/zip"), "Klaviyo does not accept this postcode: Bad."),
        (
            error("Bad", "/data/attributes/metric/data/attributes/name"),
            "Klaviyo does not accept the name of this event: Bad.",
        ),
        (error("Bad", "/x"), "Klaviyo refused this member: Bad."),
        ({"title": "No detail"}, "Klaviyo refused this member: No detail."),
        ({"code": "odd", "source": None}, "Klaviyo refused this member: odd."),
        ({"source": {"pointer": 5}}, "Klaviyo refused this member: no reason given."),
        (
            error("Conflict.", code="duplicate_profile"),
            "Another profile in Klaviyo already has this e-mail address or phone number: Conflict.",
        ),
    ],
)
def test_an_error_becomes_a_sentence(found: dict[str, object], expected: str) -> None:
    assert wording.words(found, what="member") == expected
