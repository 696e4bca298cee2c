"""What each refusal of Klaviyo means for us."""

from datetime import UTC, datetime

import pytest

from integrations import errors as tree
from integrations.gateway.values import BatchKind
from integrations.klaviyo import failures, payloads, protocol
from integrations.klaviyo.protocol import Answer, Call
from tests.klaviyo.samples import answer, error, errors, event, profile

NOW = datetime(2026, 7, 20, 12, 0, 0, tzinfo=UTC)
IMPORT = protocol.write_profile(profile())
PATCH = protocol.write_profile(profile(remote_id="01H"))
JOIN = protocol.join_list("L1", ["A", "B"])
EVENT = protocol.send_event(event())
EVENTS = protocol.submit(BatchKind.EVENTS, b"{}")
HTML = b"<html><h1>502 Bad Gateway</h1></html>"


def bulk(*list_ids: str) -> Call:
    row = payloads.encode_profile(profile())
    return protocol.submit(BatchKind.PROFILES, payloads.pack(BatchKind.PROFILES, [row], list_ids))


def failure(call: Call, given: Answer) -> tree.DestinationError:
    found = failures.failure(call, given, NOW)
    assert found is not None
    return found


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_failure(status: int) -> None:
    assert failures.failure(IMPORT, answer(status), NOW) is None


@pytest.mark.parametrize(
    ("call", "given", "expected"),
    [
        (IMPORT, answer(401, errors(error(code="not_authenticated"))), tree.AuthenticationError),
        (IMPORT, answer(401), tree.AuthenticationError),
        (IMPORT, answer(403, HTML), tree.Temporary),
        (IMPORT, answer(403, b""), tree.Temporary),
        (PATCH, answer(404, errors(error(code="not_found"))), tree.ProfileGone),
        (protocol.erase("remote_id", "01H"), answer(404, errors(error())), tree.ProfileGone),
        (JOIN, answer(404, errors(error(code="not_found"))), tree.ListGone),
        (protocol.read_list_profiles("L1"), answer(404, errors(error())), tree.ListGone),
        (bulk("L1"), answer(404, errors(error("A list with id L1 does not exist."))), tree.ListGone),
        (protocol.read_import("j"), answer(404, errors(error())), tree.UnexpectedAnswer),
        (PATCH, answer(404, HTML), tree.UnexpectedAnswer),
        (IMPORT, answer(409, errors(error(code="strange"))), tree.UnexpectedAnswer),
        (IMPORT, answer(409, errors(error(meta=[]))), tree.UnexpectedAnswer),
        (IMPORT, answer(410, errors(error("Revision retired."))), tree.ConfigurationError),
        (IMPORT, answer(415, errors(error())), tree.ConfigurationError),
        (IMPORT, answer(405, HTML), tree.ConfigurationError),
        (IMPORT, answer(413, errors(error())), tree.TooLarge),
        (IMPORT, answer(413, HTML), tree.TooLarge),
        (IMPORT, answer(301, b""), tree.UnexpectedAnswer),
        (IMPORT, answer(400, HTML), tree.UnexpectedAnswer),
        (IMPORT, answer(400, {"errors": "no list"}), tree.UnexpectedAnswer),
        (IMPORT, answer(400, [1]), tree.UnexpectedAnswer),
        (IMPORT, answer(400, b"[" * 100_000), tree.UnexpectedAnswer),
        (protocol.read_lists("x"), answer(400, errors(error("Bad filter."))), tree.ConfigurationError),
        (IMPORT, answer(400, errors(error("Invalid revision: 1.", "/data/"))), tree.ConfigurationError),
        (bulk(), answer(400, errors(error("Invalid revision: 1."))), tree.ConfigurationError),
        (IMPORT, answer(400, errors(error(source={"parameter": "x"}))), tree.ConfigurationError),
        (JOIN, answer(400, errors(error("Invalid revision: 1."))), tree.ConfigurationError),
        (JOIN, answer(400, errors(error("This profile cannot be added."))), tree.RowsRejected),
        (JOIN, answer(400, errors(error("Profiles cannot be added to this list."))), tree.ListRefused),
        *[(IMPORT, answer(status, HTML), tree.Temporary) for status in (408, 425, 500, 502, 503, 504, 524)],
        (IMPORT, answer(503, errors(error("Try later."))), tree.Temporary),
    ],
)
def test_a_status_means_one_class(call: Call, given: Answer, expected: type[Exception]) -> None:
    assert type(failure(call, given)) is expected


@pytest.mark.parametrize(
    ("call", "detail", "scope"),
    [
        (JOIN, "Missing scope: lists:write.", "lists:write"),
        (protocol.erase("email", "x"), "data-privacy:write is needed", "data-privacy:write"),
        (EVENT, "You do not have permission to perform this action.", "events:write"),
        (JOIN, "Not permitted.", "lists:write profiles:write"),
    ],
)
def test_a_missing_permission_is_named(call: Call, detail: str, scope: str) -> None:
    found = failure(call, answer(403, errors(error(detail, code="permission_denied"))))
    assert isinstance(found, tree.ScopeMissing)
    assert found.scope == scope and scope in found.words


@pytest.mark.parametrize("meta", [{"duplicate_profile_id": "01HZY"}, {}])
def test_a_conflict_tells_the_other_profile(meta: dict[str, str]) -> None:
    found = failure(PATCH, answer(409, errors(error(code="duplicate_profile", meta=meta))))
    assert isinstance(found, tree.IdentityConflict)
    assert found.other_id == meta.get("duplicate_profile_id", "")


@pytest.mark.parametrize(
    ("header", "detail", "seconds"),
    [
        ("7", "", 7),
        ("0", "", 1),
        (" 2.5 ", "", 2.5),
        ("Mon, 20 Jul 2026 12:00:30 GMT", "", 30),
        ("Mon, 20 Jul 2026 12:00:30 -0000", "", 30),
        ("Mon, 20 Jul 2026 11:00:00 GMT", "", 1),
        ("soon", "Expected available in 4 seconds.", 4),
        ("", "Request was throttled.", failures.DEFAULT_WAIT),
        ("-5", "", failures.DEFAULT_WAIT),
    ],
)
def test_a_429_says_how_long(header: str, detail: str, seconds: float) -> None:
    found = failure(IMPORT, answer(429, errors(error(detail)), retry_after=header))
    assert isinstance(found, tree.RateLimited) and found.seconds == seconds


def test_a_429_from_the_edge_is_obeyed_too() -> None:
    found = failure(IMPORT, answer(429, HTML, retry_after="3"))
    assert isinstance(found, tree.RateLimited) and found.seconds == 3


def rejected(call: Call, *found: dict[str, object]) -> tree.RowsRejected:
    result = failure(call, answer(400, errors(*found), **{"x-klaviyo-req-id": "r9"}))
    assert isinstance(result, tree.RowsRejected) and result.request_id == "r9"
    return result


def test_bulk_rows_are_named_once_each_in_order() -> None:
    place = "/data/attributes/profiles/data/{}/attributes/{}"
    result = rejected(
        bulk("L1"),
        error("Invalid phone number format.", place.format(7, "phone_number")),
        error("Invalid email address", place.format(3, "email")),
        error("Too long.", place.format(7, "properties/Tier")),
        error("No row here.", "/data/attributes/profiles"),
    )
    assert [(refusal.index, refusal.words) for refusal in result.refusals] == [
        (3, "Klaviyo does not accept this e-mail address: Invalid email address."),
        (
            7,
            "Klaviyo does not accept this phone number: Invalid phone number format."
            " Klaviyo does not accept the property “Tier”: Too long.",
        ),
    ]


def test_bulk_events_are_named_too() -> None:
    place = "/data/attributes/events-bulk-create/data/12/attributes/events/data/0/attributes/time"
    (refusal,) = rejected(EVENTS, error("Too far ahead.", place)).refusals
    assert (refusal.index, refusal.words) == (
        12,
        "Klaviyo does not accept the time of this event: Too far ahead.",
    )


def test_a_bulk_refusal_without_rows_names_none() -> None:
    result = rejected(bulk("L1"), error("Something in there.", "/data/"))
    assert result.refusals == () and "Something in there" in result.words


@pytest.mark.parametrize("call", [IMPORT, PATCH, EVENT, protocol.erase("email", "x")])
def test_a_single_row_is_refused_as_the_first(call: Call) -> None:
    (refusal,) = rejected(
        call, error("Bad", "/data/attributes/email"), error("Bad", "/data/attributes/email")
    ).refusals
    assert (refusal.index, refusal.words) == (0, "Klaviyo does not accept this e-mail address: Bad.")


def test_unknown_profile_ids_are_read_out_of_the_text_however_long() -> None:
    ids = [f"01H{number:023}" for number in range(1000)]
    result = rejected(JOIN, error(f"Invalid profile IDs: {', '.join([*ids, ids[0]])}.", "/data/"))
    assert [refusal.identifiers for refusal in result.refusals] == [(remote_id,) for remote_id in ids]


@pytest.mark.parametrize(
    ("lists", "found", "list_id"),
    [
        (["L1"], error("List not found", "/data/relationships/lists/data/0"), "L1"),
        (["L1"], error("A list with id L1 does not exist."), "L1"),
        (["L1", "L2"], error("A list with id L2 does not exist."), "L2"),
        (["L1", "L2"], error("Not found", "/data/relationships/lists/data/1/id"), "L2"),
        (["L1", "L2"], error("Not found", "/data/relationships/lists/data/9"), ""),
        (["L1", "L2"], error("Some list is bad."), ""),
        ([], error("Some list is bad."), ""),
    ],
)
def test_a_missing_list_of_an_import_is_named(
    lists: list[str], found: dict[str, object], list_id: str
) -> None:
    result = failure(bulk(*lists), answer(400, errors(found)))
    assert isinstance(result, tree.ListGone) and result.list_id == list_id


def test_a_list_in_the_words_about_a_row_is_about_the_row() -> None:
    result = rejected(
        bulk("L1"),
        error("Not on the list of languages.", "/data/attributes/profiles/data/0/attributes/locale"),
    )
    assert result.refusals[0].words.startswith("Klaviyo does not accept this language")
