"""The destinations that tests/contract tries, each with an empty account of its own."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from integrations.gateway.port import Channel, Destination
from integrations.gateway.values import Credentials
from integrations.klaviyo.destination import Klaviyo
from integrations.klaviyo.limits import SCOPES
from portal.tenancy.secrets import Secret
from tests.fakes import FakeDestination
from tests.klaviyo.sandbox_process import SandboxProcess

Renew = Callable[[Secret], Secret]


class Bench(Protocol):
    """A destination with an open channel, and the strings that a test may pull behind its back."""

    destination: Destination
    channel: Channel

    good: Secret

    def stranger(self, renew: Renew | None = None) -> Channel:
        """A channel whose key is not accepted, and who renews it."""

    def forbid_writing_profiles(self) -> None: ...

    def refuse_later(self, *emails: str) -> None:
        """Jobs shall accept these rows at first and refuse them in the end."""

    def uids(self, count: int) -> set[str]:
        """The uids of the events that arrived, once there are `count`; each arrived once."""


class KlaviyoBench:
    """Klaviyo's stand-in in a process of its own; no rate limits, so that tests are quick."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self._account = sandbox.account(f"contract-{uuid.uuid4().hex[:8]}")
        self._credentials = Credentials(
            "private_key", Secret(self._account.key), sandbox.url, "2026-07-15", share=100
        )
        self.destination: Destination = Klaviyo()
        self.channel = self.destination.open(self._credentials)
        self.good = self._credentials.secret

    def stranger(self, renew: Renew | None = None) -> Channel:
        bad = replace(self._credentials, secret=Secret("no-key-of-anybody"), renew=renew)
        return self.destination.open(bad)

    def forbid_writing_profiles(self) -> None:
        self._account.scopes([scope for scope in SCOPES if scope != "profiles:write"])

    def refuse_later(self, *emails: str) -> None:
        self._account.refuse(*emails)

    def uids(self, count: int) -> set[str]:
        self._account.wait(lambda account: len(account.events()) >= count)
        time.sleep(0.2)
        found = [event["unique_id"] for event in self._account.events()]
        assert len(found) == len(set(found))
        return set(found)


@contextmanager
def klaviyo() -> Iterator[Callable[[], Bench]]:
    """One process; every bench is an account of its own."""
    with SandboxProcess() as sandbox:
        yield lambda: KlaviyoBench(sandbox)


class FakeBench:
    """The destination that lives in memory."""

    def __init__(self) -> None:
        self.destination: Destination = (fake := FakeDestination())
        self._remote = fake.remote
        self._remote.keys = {"good"}
        self._credentials = Credentials("private_key", Secret("good"), "https://fake.test", "1")
        self.channel = self.destination.open(self._credentials)
        self.good = self._credentials.secret

    def stranger(self, renew: Renew | None = None) -> Channel:
        return self.destination.open(replace(self._credentials, secret=Secret("bad"), renew=renew))

    def forbid_writing_profiles(self) -> None:
        self._remote.missing_scopes = ("profiles:write",)

    def refuse_later(self, *emails: str) -> None:
        self._remote.refused_later |= set(emails)

    def uids(self, count: int) -> set[str]:
        assert len(self._remote.uids()) == count
        return set(self._remote.uids())


@contextmanager
def fake() -> Iterator[Callable[[], Bench]]:
    yield FakeBench


# A destination joins here: a context manager that yields a maker of benches.
BENCHES = [klaviyo, fake]
