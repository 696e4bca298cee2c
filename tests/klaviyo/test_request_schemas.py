"""Every call that we build is legal by the vendor's own description and by the vendor's own library.

openapi_excerpt.json is cut from the OpenAPI file of revision 2026-07-15; unknown keys are refused here.
"""

import importlib
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest

from integrations.gateway.values import STANDARD_KEYS, BatchKind, ProfileWrite
from integrations.klaviyo import payloads, protocol
from integrations.klaviyo.limits import LIMITS, RULES, Endpoint
from integrations.klaviyo.protocol import Call
from tests.klaviyo.samples import event, profile

EXCERPT = json.loads((Path(__file__).parent / "openapi_excerpt.json").read_text())["endpoints"]
FULL = ProfileWrite(
    values={key: key for key in STANDARD_KEYS}, properties={"Points": 0, "Tags": ["a"]}, unset=("Old",)
)
HISTORY = event(profile=FULL, history=True, value=12.5, currency="EUR", properties={"Points": 0, "x": None})
CALLS = {
    "accounts": protocol.read_accounts(),
    "import one": protocol.write_profile(FULL),
    "clear": protocol.write_profile(profile(clear=("phone", "city"))),
    "patch": protocol.write_profile(profile(remote_id="01H", clear=("last_name",))),
    "bulk": protocol.submit(
        BatchKind.PROFILES, payloads.pack(BatchKind.PROFILES, [payloads.encode_profile(FULL)] * 2, ["L1"])
    ),
    "bulk events": protocol.submit(
        BatchKind.EVENTS, payloads.pack(BatchKind.EVENTS, [payloads.encode_event(HISTORY)])
    ),
    "event": protocol.send_event(HISTORY),
    "job": protocol.read_import("job"),
    "import errors": protocol.read_import_errors("job"),
    "profiles": next(protocol.read_profiles("email", ["ana+vip@acme.io"])),
    "lists": protocol.read_lists(),
    "lists by name": protocol.read_lists("VIP, Customers"),
    "create list": protocol.create_list("VIP"),
    "one list": protocol.read_list("L1"),
    "members": protocol.read_list_profiles("L1"),
    "members with consent": protocol.read_list_profiles("L1", with_consent=True),
    "join": protocol.join_list("L1", ["01H"]),
    "leave": protocol.leave_list("L1", ["01H"]),
    "erase": protocol.erase("email", "ana@acme.io"),
    **{f"may {scope}": call for scope, call in protocol.probes().items()},
    "erase by id": protocol.erase("remote_id", "01H"),
}
# The models of the vendor's library, by endpoint.
MODELS = {
    Endpoint.IMPORT_PROFILE: "ProfileUpsertQuery",
    Endpoint.UPDATE_PROFILE: "ProfilePartialUpdateQuery",
    Endpoint.START_IMPORT: "ProfileImportJobCreateQuery",
    Endpoint.SEND_EVENT: "EventCreateQueryV2",
    Endpoint.SEND_EVENTS: "EventsBulkCreateJob",
    Endpoint.CREATE_LIST: "ListCreateQuery",
    Endpoint.UPDATE_LIST: "ListPartialUpdateQuery",
    Endpoint.JOIN_LIST: "ListMembersAddQuery",
    Endpoint.LEAVE_LIST: "ListMembersDeleteQuery",
    Endpoint.ERASE: "DataPrivacyCreateDeletionJobQuery",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_body_is_legal_by_the_schema(call: Call) -> None:
    schema = EXCERPT[call.endpoint].get("body")
    assert bool(schema) == bool(call.body)
    if schema:
        jsonschema.validate(json.loads(call.body), schema)


@pytest.mark.parametrize("call", [call for call in CALLS.values() if call.body], ids=lambda call: call.target)
def test_a_body_is_taken_by_the_official_library(call: Call) -> None:
    name = MODELS[call.endpoint]
    module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    model = getattr(importlib.import_module(f"openapi_client.models.{module}"), name)
    assert model.from_dict(json.loads(call.body)) is not None


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_query_uses_known_parameters_fields_page_sizes_and_filters(call: Call) -> None:
    described = EXCERPT[call.endpoint]
    for name, value in parse_qsl(
        urlsplit(call.target).query, strict_parsing=bool(urlsplit(call.target).query)
    ):
        allowed = described["parameters"][name]
        if name == "page[size]":
            assert int(value) <= allowed
        if name.startswith("fields["):
            assert set(value.split(",")) <= set(allowed)
        if name == "filter":
            match = re.match(r"(\w+)\(([\w.]+),\[", value)
            assert match and match[1] in described["filters"][match[2]]["list"]


def test_rates_and_permissions_are_the_vendors() -> None:
    assert {endpoint.value for endpoint in RULES} == set(EXCERPT) == {endpoint.value for endpoint in Endpoint}
    for endpoint, rule in RULES.items():
        described = EXCERPT[endpoint]
        rate = described.get("with_additional_fields", described)
        assert (rule.rate.burst, rule.rate.steady) == (rate["burst"], rate["steady"])
        assert list(rule.scopes) == described["scopes"]


def test_sizes_are_below_the_vendors() -> None:
    assert (LIMITS.profiles_per_job, LIMITS.events_per_call, LIMITS.ids_per_list_call) == (
        10_000,
        1_000,
        1_000,
    )
    assert LIMITS.body_bytes < 5_000_000 and LIMITS.row_bytes <= 100_000
