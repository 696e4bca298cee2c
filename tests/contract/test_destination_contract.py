"""What every destination must do, whoever it is.

A destination joins with a bench of its own in benches.py. No test here names a destination.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations import errors
from integrations.gateway.port import Channel, Destination
from integrations.gateway.values import STANDARD_KEYS, BatchKind, EventWrite, ProfileWrite
from portal.tenancy.secrets import Secret
from tests.contract.benches import BENCHES, Bench
from tests.contract.reading import everyone_on

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", params=BENCHES, ids=lambda make: make.__name__)
def maker(request: pytest.FixtureRequest) -> Iterator[Callable[[], Bench]]:
    with request.param() as make:
        yield make


@pytest.fixture
def bench(maker: Callable[[], Bench]) -> Bench:
    return maker()


@pytest.fixture
def destination(bench: Bench) -> Destination:
    return bench.destination


@pytest.fixture
def channel(bench: Bench) -> Channel:
    return bench.channel


def person(number: int, **changes: Any) -> ProfileWrite:
    values = {"external_id": f"M-{number}", "email": f"member{number}@acme.io"}
    return ProfileWrite(**{"values": values, "properties": {"Points Balance": number}, **changes})


def happening(number: int, **changes: Any) -> EventWrite:
    fields: dict[str, Any] = {
        "uid": f"uid-{number}",
        "metric": "Points Earned",
        "occurred_at": datetime.now(UTC),
        "properties": {"Points": number},
        "profile": person(number),
    }
    return EventWrite(**fields | changes)


def import_all(
    destination: Destination, channel: Channel, writes: list[ProfileWrite], lists: list[str]
) -> tuple[str, Any]:
    """Submit one job and poll it to its end."""
    rows = [destination.encode_profile(write) for write in writes]
    job_id = channel.submit(BatchKind.PROFILES, destination.pack(BatchKind.PROFILES, rows, lists))
    deadline = time.monotonic() + 20
    while not (state := channel.poll(job_id)).is_done:
        assert time.monotonic() < deadline, "the job does not end"
        time.sleep(0.05)
    return job_id, state


def test_it_says_what_it_is(destination: Destination) -> None:
    limits = destination.limits
    assert destination.key and destination.label and destination.default_base_url()
    assert destination.default_revision() is not None
    assert min(limits.profiles_per_job, limits.events_per_call, limits.ids_per_list_call) >= 1
    assert limits.ids_per_read >= 1 and 0 < limits.row_bytes < limits.body_bytes


def test_it_refuses_an_empty_secret_and_an_empty_name(destination: Destination) -> None:
    with pytest.raises(errors.ConfigurationError):
        destination.validate_secret("")
    with pytest.raises(errors.ConfigurationError):
        destination.validate_property("")
    destination.validate_property("Points Balance")


def test_encoding_is_deterministic_and_packing_keeps_the_rows(destination: Destination) -> None:
    rows = [destination.encode_profile(person(number)) for number in (2, 1)]
    assert rows == [destination.encode_profile(person(number)) for number in (2, 1)]
    body = destination.pack(BatchKind.PROFILES, iter(rows), ["L"])
    assert body == destination.pack(BatchKind.PROFILES, rows, ["L"])
    assert body.index(rows[0]) < body.index(rows[1])
    json.loads(body)


def test_it_says_how_e_mails_show_each_value(destination: Destination) -> None:
    tags = [destination.property_tag("Points"), destination.event_tag(["Points"])]
    tags += [tag for key in STANDARD_KEYS if (tag := destination.standard_tag(key))]
    assert all(tags) and len(set(tags)) == len(tags)
    assert destination.tag_help and all(destination.tag_help)


def test_the_body_of_one_event_can_be_shown_to_people(destination: Destination) -> None:
    shown = json.dumps(destination.event_body(happening(1)))
    for value in ("uid-1", "Points Earned", "M-1", "member1@acme.io", "Points Balance"):
        assert f'"{value}"' in shown


def test_a_check_names_the_account(channel: Channel) -> None:
    report = channel.check()
    assert report.account_id and report.account_name
    assert report.missing_scopes == ()
    assert channel.calls >= 1


def test_a_profile_is_created_then_updated_and_can_be_read(channel: Channel) -> None:
    first = channel.write_profile(person(1))
    again = channel.write_profile(person(1, properties={"Points Balance": 0, "VIP": False}))
    assert (first.created, again.created, again.remote_id) == (True, False, first.remote_id)
    by_id = channel.write_profile(person(1, remote_id=first.remote_id, properties={"Tier": "Gold"}))
    assert by_id.remote_id == first.remote_id
    (found,) = channel.read_profiles("email", ["member1@acme.io"])
    assert found.remote_id == first.remote_id
    assert found.values["external_id"] == "M-1"
    assert found.properties == {"Points Balance": 0, "VIP": False, "Tier": "Gold"}


def test_a_single_write_clears_and_removes(channel: Channel) -> None:
    values = dict(person(1).values) | {
        "first_name": "Ana",
        "phone": "+393331234567",
        "city": "Roma",
        "zip": "00100",
    }
    receipt = channel.write_profile(person(1, values=values))
    channel.write_profile(
        person(
            1,
            properties={},
            clear=("first_name", "phone", "city"),
            unset=("Points Balance",),
            remote_id=receipt.remote_id,
        )
    )
    (found,) = channel.read_profiles("remote_id", [receipt.remote_id])
    assert dict(found.values) == dict(person(1).values) | {"zip": "00100"}
    assert dict(found.properties) == {}


def test_a_profile_that_is_gone_is_said_to_be_gone(channel: Channel) -> None:
    with pytest.raises(errors.ProfileGone):
        channel.write_profile(person(1, remote_id="01HZZZZZZZZZZZZZZZZZZZZZZZ"))


def test_a_bad_address_is_refused_with_words(channel: Channel) -> None:
    with pytest.raises(errors.RowsRejected) as caught:
        channel.write_profile(person(1, values={"external_id": "M-1", "email": "not an address"}))
    (refusal,) = caught.value.refusals
    assert refusal.index == 0 and refusal.words


def test_identifiers_of_two_people_are_a_conflict_that_names_the_other(channel: Channel) -> None:
    channel.write_profile(person(1))
    other = channel.write_profile(person(2, values={"email": "member2@acme.io"}))
    first = channel.write_profile(person(1))
    with pytest.raises(errors.IdentityConflict) as caught:
        channel.write_profile(
            ProfileWrite({"external_id": "M-1", "email": "member2@acme.io"}, remote_id=first.remote_id)
        )
    assert caught.value.other_id == other.remote_id


def test_a_bulk_job_creates_updates_removes_and_joins(destination: Destination, channel: Channel) -> None:
    channel.write_profile(person(1, properties={"Old": 1}))
    made = channel.create_list("VIP")
    writes = [person(1, unset=("Old",)), *[person(number) for number in range(2, 30)]]
    _, state = import_all(destination, channel, writes, [made.remote_id])
    assert (state.total, state.failed, state.is_cancelled) == (29, 0, False)
    found = {one.values["external_id"]: one for one in channel.read_profiles("external_id", ["M-1", "M-29"])}
    assert dict(found["M-1"].properties) == {"Points Balance": 1}
    assert dict(found["M-29"].properties) == {"Points Balance": 29}
    assert len(list(everyone_on(channel, made.remote_id))) == 29


def test_a_bulk_job_with_bad_rows_names_them(destination: Destination, channel: Channel) -> None:
    bad = ProfileWrite({"external_id": "M-9", "email": "not an address"})
    with pytest.raises(errors.RowsRejected) as caught:
        import_all(destination, channel, [person(1), bad, person(2), bad], [])
    assert [refusal.index for refusal in caught.value.refusals] == [1, 3]
    assert channel.read_profiles("external_id", ["M-1"]) == []


def test_rows_that_a_job_refuses_are_all_told(
    bench: Bench, destination: Destination, channel: Channel
) -> None:
    refused = [f"member{number}@acme.io" for number in range(150)]
    bench.refuse_later(*refused)
    job_id, state = import_all(destination, channel, [person(number) for number in range(160)], [])
    assert (state.total, state.failed) == (160, 150)
    told = list(channel.refusals(job_id))
    assert {name for one in told for name in one.identifiers} >= set(refused)
    assert len(told) == 150 and all(one.words for one in told)


def test_a_list_that_does_not_exist_is_said_to_be_gone(destination: Destination, channel: Channel) -> None:
    known = channel.write_profile(person(1)).remote_id
    with pytest.raises(errors.ListGone) as caught:
        import_all(destination, channel, [person(1)], ["ZzZz99"])
    assert caught.value.list_id == "ZzZz99"
    for act in (
        lambda: list(everyone_on(channel, "ZzZz99")),
        lambda: channel.join_list("ZzZz99", [known]),
        lambda: channel.leave_list("ZzZz99", [known]),
    ):
        with pytest.raises(errors.ListGone):
            act()


def test_lists_are_found_over_all_pages_and_by_exact_name(channel: Channel) -> None:
    names = [f'List, {number} "x"' for number in range(12)]
    made = {channel.create_list(name).remote_id for name in names}
    assert made <= {found.remote_id for found in channel.lists()}
    (found,) = channel.lists(names[7])
    assert found.name == names[7]
    assert list(channel.lists("List, 7")) == []


def test_a_list_is_read_with_its_people_and_their_consent(channel: Channel) -> None:
    made = channel.create_list("VIP").remote_id
    people = [channel.write_profile(person(number)).remote_id for number in range(3)]
    channel.join_list(made, people)
    found = channel.read_list(made)
    assert (found.remote_id, found.name, found.people) == (made, "VIP", 3)
    assert found.opt_in in ("single", "double")
    page = channel.list_page(made, with_consent=True)
    assert {(one.may_receive_email, one.has_subscribed) for one in page.profiles} == {(True, False)}
    assert {one.may_receive_email for one in channel.list_page(made).profiles} == {None}
    with pytest.raises(errors.ListGone):
        channel.read_list("ZzZz99")


def test_people_join_and_leave_a_list_again_and_again(channel: Channel) -> None:
    made = channel.create_list("VIP").remote_id
    people = [channel.write_profile(person(number)).remote_id for number in range(3)]
    for _ in range(2):
        channel.join_list(made, people)
    assert {found.remote_id for found in everyone_on(channel, made)} == set(people)
    for _ in range(2):
        channel.leave_list(made, people[:1])
    assert {found.remote_id for found in everyone_on(channel, made)} == set(people[1:])


@pytest.mark.parametrize("verb", ["join_list", "leave_list"])
def test_an_unknown_profile_is_named(channel: Channel, verb: str) -> None:
    made = channel.create_list("VIP").remote_id
    known = channel.write_profile(person(1)).remote_id
    with pytest.raises(errors.RowsRejected) as caught:
        getattr(channel, verb)(made, [known, "01HZZZZZZZZZZZZZZZZZZZZZZZ"])
    assert [refusal.identifiers for refusal in caught.value.refusals] == [("01HZZZZZZZZZZZZZZZZZZZZZZZ",)]


def test_events_arrive_once_with_their_person(
    bench: Bench, destination: Destination, channel: Channel
) -> None:
    channel.send_event(happening(1))
    channel.send_event(happening(1))
    rows = [destination.encode_event(happening(number, history=True)) for number in (2, 3)]
    assert channel.submit(BatchKind.EVENTS, destination.pack(BatchKind.EVENTS, rows)) == ""
    assert bench.uids(3) == {"uid-1", "uid-2", "uid-3"}
    (found,) = channel.read_profiles("external_id", ["M-1"])
    assert found.properties["Points Balance"] == 1


def test_reading_many_finds_those_who_exist(channel: Channel) -> None:
    for number in range(3):
        channel.write_profile(
            person(number, values={"email": f"a+{number}@acme.io", "phone": f"+39333123456{number}"})
        )
    wanted = [f"a+{number}@acme.io" for number in range(100)]
    assert {found.values["email"] for found in channel.read_profiles("email", wanted)} == set(wanted[:3])
    assert len(channel.read_profiles("phone", ["+393331234560", "+393331234561"])) == 2


def test_a_person_can_be_erased(channel: Channel) -> None:
    remote_id = channel.write_profile(person(1)).remote_id
    channel.erase("email", "member1@acme.io")
    deadline = time.monotonic() + 10
    while channel.read_profiles("remote_id", [remote_id]):
        assert time.monotonic() < deadline, "the person is still there"
        time.sleep(0.05)


def test_a_wrong_key_and_a_missing_permission_are_told_apart(bench: Bench, channel: Channel) -> None:
    with pytest.raises(errors.AuthenticationError):
        bench.stranger().check()
    bench.forbid_writing_profiles()
    with pytest.raises(errors.ScopeMissing) as caught:
        channel.write_profile(person(1))
    assert caught.value.scope
    assert channel.check().missing_scopes == (caught.value.scope,)


def test_an_access_that_is_refused_is_renewed_once_and_the_call_repeated(bench: Bench) -> None:
    asked = []

    def renew(refused: Secret) -> Secret:
        asked.append(refused)
        return bench.good

    channel = bench.stranger(renew)
    assert channel.check().account_id == bench.channel.check().account_id
    assert len(asked) == 1 and asked[0] != bench.good


def test_an_access_that_stays_refused_is_not_renewed_again(bench: Bench) -> None:
    asked = []

    def renew(refused: Secret) -> Secret:
        asked.append(refused)
        return refused

    with pytest.raises(errors.AuthenticationError):
        bench.stranger(renew).check()
    assert len(asked) == 1


def test_what_became_of_the_grant_is_told(bench: Bench) -> None:
    def renew(refused: Secret) -> Secret:
        raise errors.Temporary("Another worker is at it.")

    with pytest.raises(errors.Temporary, match="Another worker"):
        bench.stranger(renew).check()
