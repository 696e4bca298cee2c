"""Everything that one running sandbox shares between its threads."""

from __future__ import annotations

from dataclasses import dataclass, field

from integrations.klaviyo.sandbox.faults import Faults
from integrations.klaviyo.sandbox.journal import Journal
from integrations.klaviyo.sandbox.store.accounts import Account, Accounts
from integrations.klaviyo.sandbox.store.database import Database
from integrations.klaviyo.sandbox.windows import Windows
from integrations.klaviyo.sandbox.worker import Worker


@dataclass(frozen=True, slots=True)
class Options:
    """How the process was started."""

    host: str = "127.0.0.1"
    port: int = 8400
    data: str = ":memory:"
    has_limits: bool = True
    lag_seconds: float = 1.0


@dataclass(slots=True)
class State:
    """Store, plans and counters; one per process."""

    options: Options
    db: Database
    accounts: Accounts
    journal: Journal
    worker: Worker
    faults: Faults = field(default_factory=Faults)
    windows: Windows = field(default_factory=Windows)

    def limits_scale(self, account: Account) -> float:
        """How generous the limits are for an account; 0 means that there are none."""
        own = account.settings.limits_scale
        if own is not None:
            return own
        return 1.0 if self.options.has_limits else 0.0


def open_state(options: Options) -> State:
    db = Database(options.data)
    accounts = Accounts(db)
    journal = Journal(db)
    worker = Worker(db, accounts, journal, options.lag_seconds)
    return State(options, db, accounts, journal, worker)
