"""Every call that we make to Klaviyo, as a value (pure): method, address, body.

The client sends a `Call` and gets an `Answer`; answers.py, failures.py and paging.py read it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from integrations.gateway.values import BatchKind, EventWrite, ProfileWrite
from integrations.klaviyo import filters, payloads
from integrations.klaviyo.limits import LIMITS, QUERY_BYTES, Endpoint

PAGE_SIZE: Final = "100"
LIST_PAGE_SIZE: Final = "10"
PROFILE_FIELDS: Final = "email,phone_number,external_id,first_name,last_name,locale,location,properties"
IDENTIFIER_FIELDS: Final = "email,phone_number,external_id"
_NOTHING: Final = "permission-check"  # an id that Klaviyo gives to nothing
_FILTER_FIELDS: Final = {
    "remote_id": "id",
    "external_id": "external_id",
    "email": "email",
    "phone": "phone_number",
}


@dataclass(frozen=True)
class Call:
    """One HTTP call. `target` is the path with its query, encoded, below the base URL.

    `subject` is the id in the path: the profile, list or job that the call is about.
    """

    endpoint: Endpoint
    target: str
    body: bytes = b""
    subject: str = ""

    @property
    def method(self) -> str:
        return self.endpoint.method


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def request_id(self) -> str:
        return self.headers.get("x-klaviyo-req-id", "")


def read_accounts() -> Call:
    return _call(Endpoint.ACCOUNTS)


def write_profile(write: ProfileWrite) -> Call:
    """Update the profile whose id is known, else create or update by identifiers."""
    body = payloads.encode(payloads.profile_document(write))
    if write.remote_id:
        return _call(Endpoint.UPDATE_PROFILE, write.remote_id, body=body)
    return _call(Endpoint.IMPORT_PROFILE, body=body)


def submit(kind: BatchKind, body: bytes) -> Call:
    return _call(Endpoint.START_IMPORT if kind == BatchKind.PROFILES else Endpoint.SEND_EVENTS, body=body)


def read_import(job_id: str) -> Call:
    return _call(Endpoint.READ_IMPORT, job_id)


def read_import_errors(job_id: str) -> Call:
    return _call(Endpoint.READ_IMPORT_ERRORS, job_id, query=filters.query(("page[size]", PAGE_SIZE)))


def send_event(write: EventWrite) -> Call:
    return _call(Endpoint.SEND_EVENT, body=payloads.encode(payloads.event_document(write)))


def read_profiles(by: str, values: Sequence[str]) -> Iterator[Call]:
    """The calls that find profiles by remote_id, external_id, email or phone: as few as fit an address."""
    name = _FILTER_FIELDS[by]
    for group in filters.split(name, values, most=LIMITS.ids_per_read, most_bytes=QUERY_BYTES):
        pairs = (
            ("filter", filters.any_of(name, group)),
            ("fields[profile]", PROFILE_FIELDS),
            ("page[size]", PAGE_SIZE),
        )
        yield _call(Endpoint.READ_PROFILES, query=filters.query(*pairs))


def read_lists(name: str = "") -> Call:
    """All lists, or those of that name; Klaviyo compares names by `any` and `equals` with an array only."""
    pairs = [("fields[list]", "name"), ("page[size]", LIST_PAGE_SIZE)]
    if name:
        pairs.insert(0, ("filter", filters.any_of("name", [name])))
    return _call(Endpoint.READ_LISTS, query=filters.query(*pairs))


def read_list(list_id: str) -> Call:
    pairs = (
        ("additional-fields[list]", "profile_count"),
        ("fields[list]", "name,opt_in_process,profile_count"),
    )
    return _call(Endpoint.READ_LIST, list_id, query=filters.query(*pairs))


def create_list(name: str) -> Call:
    return _call(Endpoint.CREATE_LIST, body=payloads.encode(payloads.list_document(name)))


def read_list_profiles(list_id: str, *, with_consent: bool = False) -> Call:
    pairs = [("fields[profile]", IDENTIFIER_FIELDS), ("page[size]", PAGE_SIZE)]
    if with_consent:
        pairs[0] = ("fields[profile]", f"{IDENTIFIER_FIELDS},subscriptions")
        pairs.insert(0, ("additional-fields[profile]", "subscriptions"))
    return _call(Endpoint.READ_LIST_PROFILES, list_id, query=filters.query(*pairs))


def join_list(list_id: str, remote_ids: Sequence[str]) -> Call:
    body = payloads.encode(payloads.members_document(remote_ids))
    return _call(Endpoint.JOIN_LIST, list_id, body=body)


def leave_list(list_id: str, remote_ids: Sequence[str]) -> Call:
    body = payloads.encode(payloads.members_document(remote_ids))
    return _call(Endpoint.LEAVE_LIST, list_id, body=body)


def erase(identifier: str, value: str) -> Call:
    body = payloads.encode(payloads.erasure_document(identifier, value))
    return _call(Endpoint.ERASE, subject=value if identifier == "remote_id" else "", body=body)


def probes() -> dict[str, Call]:
    """One harmless call per permission but accounts:read.

    Reads read one thing. A permission to write cannot be read anywhere, so these calls are well formed
    and about nothing: a profile and a list that cannot exist, no events at all, an erasure of nobody.
    Klaviyo answers 403 without the permission and with it 400 or 404; nothing can come of either.
    """
    nobody = {"type": "profile", "id": _NOTHING, "attributes": {}}
    no_list = {"type": "list", "id": _NOTHING, "attributes": {"name": _NOTHING}}
    erasure = {"profile": {"data": {"type": "profile", "attributes": {}}}}
    one = filters.query(("fields[profile]", "email"), ("page[size]", "1"))
    few = filters.query(("fields[list]", "name"), ("page[size]", "1"))
    return {
        "profiles:read": _call(Endpoint.READ_PROFILES, query=one),
        "profiles:write": _call(Endpoint.UPDATE_PROFILE, _NOTHING, body=_about(nobody)),
        "lists:read": _call(Endpoint.READ_LISTS, query=few),
        "lists:write": _call(Endpoint.UPDATE_LIST, _NOTHING, body=_about(no_list)),
        "events:write": _call(Endpoint.SEND_EVENTS, body=payloads.pack(BatchKind.EVENTS, [])),
        "data-privacy:write": _call(
            Endpoint.ERASE, body=_about({"type": "data-privacy-deletion-job", "attributes": erasure})
        ),
    }


def _about(data: object) -> bytes:
    return payloads.encode({"data": data})


def _call(endpoint: Endpoint, subject: str = "", *, query: str = "", body: bytes = b"") -> Call:
    parts = endpoint.template.split("/")
    path = "/".join(quote(subject, safe="") if part.startswith("{") else part for part in parts)
    return Call(endpoint, f"{path}?{query}" if query else path, body, subject)
