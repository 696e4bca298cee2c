"""The port: what a destination implements so that the engine can work with it.

Two halves. `Destination` is the pure half: what it is, its limits, how a row becomes bytes. `Channel` is
the live half: one account, one set of credentials, one call per method. Every method of a channel makes
HTTP calls and raises only classes of integrations/errors.py; it never touches our database, sleeps at
most for a granted slot of the throttle, and is safe to repeat.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from integrations.errors import Refusal
from integrations.gateway.values import (
    BatchKind,
    ConnectionReport,
    Credentials,
    EventWrite,
    JobState,
    Json,
    Limits,
    ListPage,
    ProfileWrite,
    RemoteList,
    RemoteProfile,
    Tokens,
    WriteReceipt,
)
from portal.tenancy.secrets import Secret


class Channel(Protocol):
    """One account, live. See the module's first lines for the contract."""

    calls: int  # how many HTTP calls this channel has made

    def check(self) -> ConnectionReport:
        """Prove the credentials and name each missing scope."""

    def submit(self, kind: BatchKind, body: bytes) -> str:
        """POST the stored body of a PROFILES or EVENTS batch; return the job's id, or "" when there is none.

        Raises RowsRejected when the whole body was refused for some rows, TooLarge, ListGone.
        """

    def poll(self, job_id: str) -> JobState: ...

    def refusals(self, job_id: str) -> Iterator[Refusal]:
        """Yield every row that a finished job refused, over all pages."""

    def write_profile(self, write: ProfileWrite) -> WriteReceipt:
        """Create or update one profile now. Raises RowsRejected, IdentityConflict, ProfileGone."""

    def send_event(self, write: EventWrite) -> None: ...

    def read_profiles(self, by: str, values: Sequence[str]) -> list[RemoteProfile]:
        """Return the profiles whose `by` is among `values` (≤ ids_per_read).

        `by` is remote_id, external_id, email or phone.
        """

    def lists(self, name: str = "") -> Iterator[RemoteList]:
        """Yield all lists, or those of exactly that name."""

    def read_list(self, list_id: str) -> RemoteList:
        """One list with how many people are on it and how people opt in. Raises ListGone."""

    def create_list(self, name: str) -> RemoteList: ...

    def list_page(self, list_id: str, cursor: str = "", *, with_consent: bool = False) -> ListPage:
        """One page of everyone on the list, with identifiers only. Raises ListGone.

        `with_consent` also tells whether each may receive e-mail; the cursor of such a page keeps to it.
        """

    def join_list(self, list_id: str, remote_ids: Sequence[str]) -> None:
        """Put known profiles on a list. Raises RowsRejected naming unknown ids, ListGone."""

    def leave_list(self, list_id: str, remote_ids: Sequence[str]) -> None:
        """Take profiles off a list; consent is never touched. Raises as join_list does."""

    def erase(self, identifier: str, value: str) -> None:
        """Ask for the deletion of the person with that remote_id, email or phone."""


class SignIn(Protocol):
    """Connecting by OAuth with PKCE: somebody allows us on the destination's own page.

    The calls raise only classes of integrations/errors.py: AuthenticationError where the grant is gone or
    the code is not good any more, PortalNotAccepted where the portal itself is not known there (its client
    id or secret), RateLimited and Temporary where it is worth trying again.
    """

    role_help: str  # who may allow it there, in a sentence
    switch_help: str  # what becomes different there for a connection that was by key; "" where nothing does
    scopes: tuple[tuple[str, str], ...]  # each permission that is asked for, and what it is for

    def is_offered(self) -> bool:
        """Whether the operator gave this portal a client id."""

    def allow_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """The address of the Allow page; `challenge` is the S256 of the verifier."""

    def exchange(self, *, code: str, verifier: str, redirect_uri: str) -> Tokens: ...

    def refresh(self, token: Secret) -> Tokens: ...

    def revoke(self, token: Secret) -> None:
        """Give the grant back; one that is gone already is no error."""


class Destination(Protocol):
    """What a kind of destination is. Stateless; one instance for the whole process."""

    key: str
    label: str
    key_help: str  # where a person finds the key, in a sentence or two
    tag_help: tuple[str, ...]  # what an e-mail there shows for a missing value, and how to show another
    cause_help: Mapping[str, tuple[str, str]]  # code of a refusal of its own: what happened, how to mend it
    sample_help: str  # which test addresses will not do; "" where all will
    limits: Limits
    sign_in: SignIn | None  # None: by key only

    def default_base_url(self) -> str: ...

    def default_revision(self) -> str: ...

    def validate_base_url(self, text: str) -> str:
        """Return the address of the API as it should be stored; raises ConfigurationError with a sentence.

        The key is sent there, so only an address is accepted that can be the destination's.
        """

    def validate_secret(self, text: str) -> str:
        """Return the secret as it should be stored; raises ConfigurationError with a sentence."""

    def validate_property(self, name: str) -> None:
        """Raises ConfigurationError for a property or metric name that the destination refuses."""

    def property_tag(self, name: str) -> str:
        """What to paste into an e-mail there to show a profile's property."""

    def standard_tag(self, key: str) -> str:
        """The same for one of STANDARD_KEYS; "" where e-mails there cannot show it."""

    def event_tag(self, path: Sequence[str]) -> str:
        """The same for a value of the event that started the flow; `path` are its keys, outermost first."""

    def profile_url(self, base_url: str, remote_id: str) -> str:
        """The page of a profile there, for people; "" where there is none."""

    def list_url(self, base_url: str, list_id: str) -> str:
        """The page of a list there, for people; "" where there is none."""

    def open(self, credentials: Credentials) -> Channel: ...

    def encode_profile(self, write: ProfileWrite) -> bytes:
        """One row of a PROFILES body; a write with `clear` never comes here, it goes alone."""

    def encode_event(self, write: EventWrite) -> bytes:
        """One row of an EVENTS body."""

    def event_body(self, write: EventWrite) -> Json:
        """The exact body of a call that sends this one event, for people to read."""

    def pack(self, kind: BatchKind, rows: Iterable[bytes], list_ids: Sequence[str] = ()) -> bytes:
        """Wrap encoded rows into the exact body of one call."""
