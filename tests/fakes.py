"""A destination that lives in memory: for tests of the engine, at the port."""

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from integrations.errors import (
    AuthenticationError,
    ConfigurationError,
    DestinationError,
    IdentityConflict,
    ListGone,
    ProfileGone,
    Refusal,
    RowsRejected,
    ScopeMissing,
    TooLarge,
)
from integrations.gateway.port import Channel
from integrations.gateway.values import (
    IDENTIFIERS,
    BatchKind,
    ConnectionReport,
    Credentials,
    EventWrite,
    JobState,
    Limits,
    ListPage,
    ProfileWrite,
    RemoteList,
    RemoteProfile,
    WriteReceipt,
)
from portal.tenancy.secrets import Secret
from tests.fake_sign_in import FakeSignIn

LIMITS = Limits(
    profiles_per_job=10_000,
    events_per_call=1_000,
    ids_per_list_call=1_000,
    ids_per_read=100,
    body_bytes=4_900_000,
    row_bytes=100_000,
)
PAGE = 100


@dataclass(frozen=True)
class Late:
    """A failure that comes after the work was done, as a time-out on the way back."""

    error: DestinationError


@dataclass(frozen=True)
class Told:
    """One event that arrived."""

    uid: str
    metric: str
    who: str  # the profile's id
    occurred_at: datetime
    properties: dict[str, Any]
    history: bool
    sent_with: dict[str, Any]  # what the event said of its profile


@dataclass
class Job:
    id: str
    rows: list[ProfileWrite]
    list_ids: tuple[str, ...]
    refusals: list[Refusal] = field(default_factory=list)
    state: str = "queued"


class Remote:
    """Everything an account holds, every call it got, and the trouble that it shall make."""

    def __init__(self) -> None:
        self.account_id = "ACCOUNT"
        self.profiles: dict[str, dict[str, Any]] = {}  # id → {"values": …, "properties": …}
        self.lists: dict[str, str] = {}
        self.on_list: dict[str, list[str]] = defaultdict(list)
        self.events: list[Told] = []
        self.jobs: dict[str, Job] = {}
        self.calls: list[tuple[str, Any]] = []
        self.bodies: list[bytes] = []
        self.refused_later: set[str] = set()
        self.double_opt_in: set[str] = set()  # ids of lists; the others are single opt-in
        self.subscribed: set[str] = set()  # ids of profiles who said yes to e-mail
        self.no_email: set[str] = set()  # ids of profiles who may receive none
        self.missing_scopes: tuple[str, ...] = ()
        self.keys: set[str] | None = None  # None: every key is good
        self.holds_jobs = False
        self.page_size = PAGE
        self.checks: dict[str, Callable[..., DestinationError | None]] = {}
        self._script: dict[str, list[DestinationError | Late | None]] = defaultdict(list)
        self._numbers = itertools.count(1)

    def fail(self, method: str, *steps: DestinationError | Late | None) -> None:
        """The next calls of `method` end so, in this order; None lets one pass."""
        self._script[method] += steps

    def count(self, *methods: str) -> int:
        return sum(method in methods for method, _ in self.calls)

    def next_step(self, method: str) -> DestinationError | Late | None:
        return self._script[method].pop(0) if self._script[method] else None

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):06}"

    # Looking, for tests --------------------------------------------------------------------------

    def document(self, external_id: str) -> dict[str, Any]:
        """Values and properties of the one profile with that external id, in one dict."""
        (found,) = [one for one in self.profiles.values() if one["values"].get("external_id") == external_id]
        return {**found["values"], **found["properties"]}

    def members(self, name: str) -> list[str]:
        """The external ids on the list of that name, sorted."""
        (list_id,) = [key for key, value in self.lists.items() if value == name]
        return sorted(str(self.profiles[pk]["values"].get("external_id", pk)) for pk in self.on_list[list_id])

    def uids(self) -> list[str]:
        return [event.uid for event in self.events]

    # Working -------------------------------------------------------------------------------------

    def match(self, values: dict[str, Any]) -> dict[str, str]:
        """Identifier → the profile that holds its value."""
        found = {}
        for key in IDENTIFIERS:
            for pk, profile in self.profiles.items():
                if values.get(key) and profile["values"].get(key) == values[key]:
                    found[key] = pk
        return found

    def write(self, write: ProfileWrite) -> WriteReceipt:
        values = dict(write.values)
        found = self.match(values)
        target = write.remote_id or next((found[key] for key in IDENTIFIERS if key in found), "")
        if write.remote_id and write.remote_id not in self.profiles:
            raise ProfileGone("This profile is gone.")
        if others := [pk for pk in found.values() if pk != target]:
            raise IdentityConflict("Another profile has this e-mail or phone.", other_id=others[0])
        if not write.remote_id and set(found) == {"phone"} and self._is_somebody_else(target, values):
            raise IdentityConflict("Another person has this phone.", other_id=target)
        created = not target
        target = target or self.new_id("P")
        profile = self.profiles.setdefault(target, {"values": {}, "properties": {}})
        profile["values"].update(values)
        profile["properties"].update(write.properties)
        for key in write.clear:
            profile["values"].pop(key, None)
        for name in write.unset:
            profile["properties"].pop(name, None)
        return WriteReceipt(target, created)

    def _is_somebody_else(self, pk: str, values: dict[str, Any]) -> bool:
        there = self.profiles[pk]["values"]
        return any(there.get(key) not in (None, values.get(key)) for key in ("external_id", "email"))

    def join(self, list_id: str, remote_ids: Iterable[str]) -> None:
        there = self.on_list[list_id]
        there += [pk for pk in remote_ids if pk not in there]

    def finish_jobs(self) -> None:
        """Let the jobs that were held work."""
        for job in self.jobs.values():
            if job.state == "queued":
                self.work(job)

    def work(self, job: Job) -> None:
        for index, row in enumerate(job.rows):
            email = str(row.values.get("email", ""))
            if email in self.refused_later:
                names = tuple(str(row.values[key]) for key in IDENTIFIERS if row.values.get(key))
                job.refusals.append(Refusal("invalid", "Nobody lives here.", index, names))
                continue
            try:
                receipt = self.write(row)
            except IdentityConflict as error:
                job.refusals.append(Refusal(error.code, error.words, index, (email,)))
                continue
            for list_id in job.list_ids:
                self.join(list_id, [receipt.remote_id])
        job.state = "complete"

    def tell(self, write: EventWrite) -> None:
        """An event makes its profile where there is none; the same one told twice counts once."""
        known = self.match(dict(write.profile.values))
        target = next((known[key] for key in IDENTIFIERS if key in known), "")
        receipt = self.write(replace(write.profile, remote_id=target))
        if any((told.uid, told.who) == (write.uid, receipt.remote_id) for told in self.events):
            return
        sent_with = {**write.profile.values, **write.profile.properties}
        self.events.append(
            Told(
                write.uid,
                write.metric,
                receipt.remote_id,
                write.occurred_at,
                dict(write.properties),
                write.history,
                sent_with,
            )
        )


class FakeChannel:
    """See integrations/gateway/port.py."""

    def __init__(self, remote: Remote, key: Secret, renew: Callable[[Secret], Secret] | None = None) -> None:
        self.calls = 0
        self._remote = remote
        self._key = key
        self._renew = renew

    def check(self) -> ConnectionReport:
        return self._call("check", None, self._check)

    def _check(self) -> ConnectionReport:
        return ConnectionReport(self._remote.account_id, "Fake account", self._remote.missing_scopes, True)

    def submit(self, kind: BatchKind, body: bytes) -> str:
        content = json.loads(body)
        self._remote.bodies.append(body)
        return self._call("submit", (kind, content), lambda: self._submit(kind, content, len(body)))

    def _submit(self, kind: BatchKind, content: dict[str, Any], size: int) -> str:
        remote = self._remote
        if size > LIMITS.body_bytes + 100_000:
            raise TooLarge("The body is too large.")
        bad = [
            Refusal("invalid", "Not an e-mail address.", index)
            for index, row in enumerate(content["rows"])
            if "@" not in _email(row)
        ]
        if bad:
            raise RowsRejected("Some rows are wrong.", bad)
        if kind is BatchKind.EVENTS:
            for row in content["rows"]:
                remote.tell(_event(row))
            return ""
        for list_id in content["lists"]:
            self._known_list(list_id)
        job = Job(remote.new_id("J"), [_profile(row) for row in content["rows"]], tuple(content["lists"]))
        remote.jobs[job.id] = job
        if not remote.holds_jobs:
            remote.work(job)
        return job.id

    def poll(self, job_id: str) -> JobState:
        return self._call("poll", job_id, lambda: self._state(self._remote.jobs[job_id]))

    def _state(self, job: Job) -> JobState:
        is_done = job.state in ("complete", "cancelled")
        return JobState(is_done, job.state == "cancelled", len(job.rows), len(job.refusals))

    def refusals(self, job_id: str) -> Iterator[Refusal]:
        refused = self._remote.jobs[job_id].refusals
        for start in range(0, max(1, len(refused)), PAGE):
            yield from self._call(
                "refusals", (job_id, start), lambda start=start: refused[start : start + PAGE]
            )

    def write_profile(self, write: ProfileWrite) -> WriteReceipt:
        if "profiles:write" in self._remote.missing_scopes:
            raise ScopeMissing("May not write profiles.", scope="profiles:write")
        return self._call("write_profile", write, lambda: self._write(write))

    def _write(self, write: ProfileWrite) -> WriteReceipt:
        if write.values.get("email") and "@" not in str(write.values["email"]):
            raise RowsRejected("Refused.", [Refusal("invalid", "Not an e-mail address.", 0)])
        if len(json.dumps([dict(write.values), dict(write.properties)])) > LIMITS.row_bytes:
            raise TooLarge("The profile is too large.")
        return self._remote.write(write)

    def send_event(self, write: EventWrite) -> None:
        self._call("send_event", write, lambda: self._remote.tell(write))

    def read_profiles(self, by: str, values: Sequence[str]) -> list[RemoteProfile]:
        assert len(values) <= LIMITS.ids_per_read
        return self._call("read_profiles", (by, tuple(values)), lambda: self._found(by, set(values)))

    def _found(self, by: str, values: set[str]) -> list[RemoteProfile]:
        return [
            RemoteProfile(pk, dict(profile["values"]), dict(profile["properties"]))
            for pk, profile in self._remote.profiles.items()
            if (pk if by == "remote_id" else profile["values"].get(by)) in values
        ]

    def lists(self, name: str = "") -> Iterator[RemoteList]:
        everything = [RemoteList(*pair) for pair in self._remote.lists.items()]
        yield from self._call("lists", name, lambda: [one for one in everything if name in ("", one.name)])

    def read_list(self, list_id: str) -> RemoteList:
        return self._call("read_list", list_id, lambda: self._read_list(list_id))

    def _read_list(self, list_id: str) -> RemoteList:
        remote = self._remote
        self._known_list(list_id)
        opt_in = "double" if list_id in remote.double_opt_in else "single"
        return RemoteList(list_id, remote.lists[list_id], len(remote.on_list[list_id]), opt_in)

    def create_list(self, name: str) -> RemoteList:
        return self._call("create_list", name, lambda: self._create_list(name))

    def _create_list(self, name: str) -> RemoteList:
        made = RemoteList(self._remote.new_id("L"), name)
        self._remote.lists[made.remote_id] = name
        return made

    def list_page(self, list_id: str, cursor: str = "", *, with_consent: bool = False) -> ListPage:
        page = self._call("list_page", (list_id, cursor), lambda: self._page(list_id, int(cursor or 0)))
        people = tuple(self._with_consent(one) for one in page.profiles) if with_consent else page.profiles
        return replace(page, profiles=people)

    def _with_consent(self, profile: RemoteProfile) -> RemoteProfile:
        pk = profile.remote_id
        return replace(
            profile,
            may_receive_email=pk not in self._remote.no_email,
            has_subscribed=pk in self._remote.subscribed,
        )

    def _page(self, list_id: str, start: int) -> ListPage:
        self._known_list(list_id)
        there, end = self._remote.on_list[list_id], start + self._remote.page_size
        found = {profile.remote_id: profile for profile in self._found("remote_id", set(there[start:end]))}
        people = tuple(replace(found[pk], properties={}) for pk in there[start:end] if pk in found)
        return ListPage(people, str(end) if end < len(there) else "")

    def join_list(self, list_id: str, remote_ids: Sequence[str]) -> None:
        self._call("join_list", (list_id, tuple(remote_ids)), lambda: self._join(list_id, remote_ids))

    def _join(self, list_id: str, remote_ids: Sequence[str]) -> None:
        self._known(list_id, remote_ids)
        self._remote.join(list_id, remote_ids)

    def leave_list(self, list_id: str, remote_ids: Sequence[str]) -> None:
        self._call("leave_list", (list_id, tuple(remote_ids)), lambda: self._leave(list_id, remote_ids))

    def _leave(self, list_id: str, remote_ids: Sequence[str]) -> None:
        self._known(list_id, remote_ids)
        there = self._remote.on_list
        there[list_id] = [pk for pk in there[list_id] if pk not in remote_ids]

    def erase(self, identifier: str, value: str) -> None:
        self._call("erase", (identifier, value), lambda: self._erase(identifier, value))

    def _erase(self, identifier: str, value: str) -> None:
        for gone in self._found(identifier, {value}):
            del self._remote.profiles[gone.remote_id]
            for there in self._remote.on_list.values():
                there[:] = [pk for pk in there if pk != gone.remote_id]

    def _known_list(self, list_id: str) -> None:
        if list_id not in self._remote.lists:
            raise ListGone("There is no such list.", list_id=list_id)

    def _known(self, list_id: str, remote_ids: Sequence[str]) -> None:
        self._known_list(list_id)
        unknown = [pk for pk in remote_ids if pk not in self._remote.profiles]
        if unknown:
            raise RowsRejected(
                "Unknown ids.", [Refusal("unknown", "Unknown id.", identifiers=(pk,)) for pk in unknown]
            )

    def _call(self, method: str, detail: Any, work: Callable[[], Any]) -> Any:
        """One call; where the access is refused, it is renewed once and the call repeated."""
        try:
            return self._once(method, detail, work)
        except AuthenticationError:
            if self._renew is None:
                raise
        self._key = self._renew(self._key)
        return self._once(method, detail, work)

    def _once(self, method: str, detail: Any, work: Callable[[], Any]) -> Any:
        """Record the call, then fail as scripted: before the work, after it, or by a standing check."""
        remote = self._remote
        self.calls += 1
        remote.calls.append((method, detail))
        if remote.keys is not None and self._key.reveal() not in remote.keys:
            raise AuthenticationError("This key is not accepted.")
        if (check := remote.checks.get(method)) and (error := check(detail)):
            raise error
        step = remote.next_step(method)
        if isinstance(step, DestinationError):
            raise step
        result = work()
        if isinstance(step, Late):
            raise step.error
        return result


class FakeDestination:
    """See integrations/gateway/port.py. Every instance has a world of its own, in `remote`."""

    key = "fake"
    label = "Fake"
    key_help = "Anything that is not empty."
    cause_help: dict[str, tuple[str, str]] = {}
    tag_help = ("A value that is missing shows nothing.",)
    sample_help = ""

    def __init__(self) -> None:
        self.limits = LIMITS
        self.remote = Remote()
        self.sign_in = FakeSignIn(self.remote)

    def default_base_url(self) -> str:
        return "https://fake.test"

    def default_revision(self) -> str:
        return "1"

    def validate_base_url(self, text: str) -> str:
        if not text.startswith("https://fake."):
            raise ConfigurationError("This is not the address of a fake.")
        return text.rstrip("/")

    def validate_secret(self, text: str) -> str:
        if not text.strip():
            raise ConfigurationError("Enter a key.")
        return text.strip()

    def validate_property(self, name: str) -> None:
        if not name.strip():
            raise ConfigurationError("The name is empty.")

    def property_tag(self, name: str) -> str:
        return f"[person {name}]"

    def standard_tag(self, key: str) -> str:
        return f"[person {key}]" if key != "timezone" else ""

    def event_tag(self, path: Sequence[str]) -> str:
        return f"[event {'.'.join(path)}]"

    def profile_url(self, base_url: str, remote_id: str) -> str:
        return f"{base_url}/people/{remote_id}"

    def list_url(self, base_url: str, list_id: str) -> str:
        return f"{base_url}/lists/{list_id}"

    def open(self, credentials: Credentials) -> Channel:
        return FakeChannel(self.remote, credentials.secret, credentials.renew)

    def encode_profile(self, write: ProfileWrite) -> bytes:
        if write.clear:
            raise ValueError("A job cannot clear.")
        return _encode(
            {
                "values": dict(write.values),
                "properties": dict(write.properties),
                "unset": list(write.unset),
            }
        )

    def encode_event(self, write: EventWrite) -> bytes:
        return _encode(
            {
                "uid": write.uid,
                "metric": write.metric,
                "at": write.occurred_at.isoformat(),
                "told": dict(write.properties),
                "history": write.history,
                "profile": {
                    "values": dict(write.profile.values),
                    "properties": dict(write.profile.properties),
                },
            }
        )

    def event_body(self, write: EventWrite) -> Any:
        return json.loads(self.encode_event(write))

    def pack(self, kind: BatchKind, rows: Iterable[bytes], list_ids: Sequence[str] = ()) -> bytes:
        return b'{"lists":' + _encode(list(list_ids)) + b',"rows":[' + b",".join(rows) + b"]}"


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _email(row: dict[str, Any]) -> str:
    """The row's address; a row that has none passes."""
    return str(row.get("profile", row)["values"].get("email", "@"))


def _profile(row: dict[str, Any]) -> ProfileWrite:
    return ProfileWrite(row["values"], row["properties"], unset=tuple(row.get("unset", ())))


def _event(row: dict[str, Any]) -> EventWrite:
    moment = datetime.fromisoformat(row["at"])
    return EventWrite(
        row["uid"], row["metric"], moment, row["told"], _profile(row["profile"]), row["history"]
    )
