"""One Klaviyo account, live: implements the port's Channel."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from integrations.errors import (
    AuthenticationError,
    ConfigurationError,
    ListGone,
    ProfileGone,
    RateLimited,
    Refusal,
    RowsRejected,
    ScopeMissing,
    TooLarge,
)
from integrations.gateway import buckets, throttle
from integrations.gateway.values import (
    BatchKind,
    ConnectionReport,
    Credentials,
    EventWrite,
    JobState,
    ListPage,
    ProfileWrite,
    RemoteList,
    RemoteProfile,
    WriteReceipt,
)
from integrations.klaviyo import answers, failures, paging, protocol, transport
from integrations.klaviyo.limits import RULES, bucket_key
from integrations.klaviyo.protocol import Answer, Call
from portal.runtime.outgoing import is_this_machine

logger = logging.getLogger(__name__)

_warned: set[str] = set()


class Gate(Protocol):
    """Who says when a call may go; in the portal it is the module integrations.gateway.throttle."""

    def acquire(self, key: str, rate: buckets.Rate) -> float: ...

    def block(self, key: str, seconds: float) -> None: ...


class KlaviyoChannel:
    """Makes calls with one set of credentials; counts them, waits for their slots, retries nothing."""

    def __init__(self, credentials: Credentials, gate: Gate = throttle) -> None:
        self.calls = 0
        self._seen_account_id = ""
        self._credentials = credentials
        self._gate = gate

    def check(self) -> ConnectionReport:
        """Prove the key, name the account and each permission that is missing.

        Without accounts:read the account's id is read from a header that every answer but a 401 has.
        """
        missing: list[str] = []
        account_id, name, is_test = "", "", False
        try:
            account_id, name, is_test = answers.account(self._call(protocol.read_accounts()))
        except ScopeMissing:
            missing.append("accounts:read")
        missing += [scope for scope, call in protocol.probes().items() if not self._may(call)]
        account_id = account_id or self._seen_account_id
        is_practice = is_test or is_this_machine(self._credentials.base_url)
        return ConnectionReport(account_id, name, tuple(missing), is_practice)

    def submit(self, kind: BatchKind, body: bytes) -> str:
        answer = self._call(protocol.submit(kind, body))
        return answers.job_id(answer) if kind == BatchKind.PROFILES else ""

    def poll(self, job_id: str) -> JobState:
        return answers.job_state(self._call(protocol.read_import(job_id)))

    def refusals(self, job_id: str) -> Iterator[Refusal]:
        for answer in self._pages(protocol.read_import_errors(job_id)):
            yield from answers.import_errors(answer)

    def write_profile(self, write: ProfileWrite) -> WriteReceipt:
        return answers.receipt(self._call(protocol.write_profile(write)))

    def send_event(self, write: EventWrite) -> None:
        self._call(protocol.send_event(write))

    def read_profiles(self, by: str, values: Sequence[str]) -> list[RemoteProfile]:
        calls = protocol.read_profiles(by, values)
        return [answers.profile(item) for call in calls for item in self._items(call)]

    def lists(self, name: str = "") -> Iterator[RemoteList]:
        for item in self._items(protocol.read_lists(name)):
            found = answers.remote_list(item)
            if not name or found.name == name:
                yield found

    def read_list(self, list_id: str) -> RemoteList:
        return answers.remote_list(answers.resource(self._call(protocol.read_list(list_id))))

    def create_list(self, name: str) -> RemoteList:
        return answers.remote_list(answers.resource(self._call(protocol.create_list(name))))

    def list_page(self, list_id: str, cursor: str = "", *, with_consent: bool = False) -> ListPage:
        """The cursor is the next page's path and query, checked to be of the same origin."""
        call = protocol.read_list_profiles(list_id, with_consent=with_consent)
        if cursor:
            call = replace(call, target=cursor)
        answer = self._call(call)
        onward = paging.next_page(call, answer, self._credentials.base_url)
        profiles = tuple(answers.profile(item) for item in answers.resources(answer))
        return ListPage(profiles, onward.target if onward else "")

    def join_list(self, list_id: str, remote_ids: Sequence[str]) -> None:
        if remote_ids:
            self._call(protocol.join_list(list_id, remote_ids))

    def leave_list(self, list_id: str, remote_ids: Sequence[str]) -> None:
        if remote_ids:
            self._call(protocol.leave_list(list_id, remote_ids))

    def erase(self, identifier: str, value: str) -> None:
        self._call(protocol.erase(identifier, value))

    def _may(self, probe: Call) -> bool:
        """Whether the key has the permission of a probe; any refusal but "not permitted" says yes."""
        try:
            self._call(probe, expected=(400, 404))
        except ScopeMissing:
            return False
        except (RowsRejected, ConfigurationError, ListGone, ProfileGone, TooLarge):
            return True
        return True

    def _items(self, call: Call) -> Iterator[Mapping[str, Any]]:
        for answer in self._pages(call):
            yield from answers.resources(answer)

    def _pages(self, first: Call) -> Iterator[Answer]:
        call: Call | None = first
        pages = 0
        while call is not None:
            pages += 1
            paging.check_cap(call, pages)
            answer = self._call(call)
            yield answer
            call = paging.next_page(call, answer, self._credentials.base_url)

    def _call(self, call: Call, *, expected: tuple[int, ...] = ()) -> Answer:
        """Return the answer or raise what it means; an access token that has died is renewed once.

        `expected` refusals are no news: they are not logged above DEBUG.
        """
        try:
            return self._once(call, expected)
        except AuthenticationError:
            renew = self._credentials.renew
            if renew is None:
                raise
        self._credentials = replace(self._credentials, secret=renew(self._credentials.secret))
        return self._once(call, expected)

    def _once(self, call: Call, expected: tuple[int, ...]) -> Answer:
        """Wait for a slot and send."""
        if not self._credentials.secret:
            raise AuthenticationError("This connection has no key yet: connect it to Klaviyo.")
        key = bucket_key(
            call.endpoint,
            method=self._credentials.method,
            account_id=self._credentials.account_id,
            secret=self._credentials.secret.reveal(),
        )
        waited = self._gate.acquire(key, RULES[call.endpoint].rate.share(self._credentials.share))
        self.calls += 1
        answer = self._send(call, waited, expected)
        self._seen_account_id = answer.headers.get("cid", self._seen_account_id)
        error = failures.failure(call, answer, datetime.now(UTC), self._credentials.method)
        if isinstance(error, RateLimited):
            self._gate.block(key, error.seconds)
        if error is not None:
            raise error
        self._watch_revision(answer)
        return answer

    def _send(self, call: Call, waited: float, expected: tuple[int, ...]) -> Answer:
        """Send and log; the log names the endpoint, never the query, the body or the key."""
        started = time.monotonic()
        outcome: object = "no answer"
        request_id = ""
        try:
            answer = transport.send(self._credentials, call)
            outcome, request_id = answer.status, answer.request_id
            return answer
        finally:
            took = (time.monotonic() - started) * 1000
            is_news = not isinstance(outcome, int) or (outcome >= 400 and outcome not in expected)
            logger.log(
                logging.INFO if is_news else logging.DEBUG,
                "%s: %s in %.0f ms, waited %.0f ms, request %s",
                call.endpoint.value,
                outcome,
                took,
                waited * 1000,
                request_id or "-",
            )

    def _watch_revision(self, answer: Answer) -> None:
        warning = answers.revision_warning(answer, self._credentials.revision, datetime.now(UTC).date())
        if warning and warning not in _warned:
            _warned.add(warning)
            logger.warning("%s", warning)
