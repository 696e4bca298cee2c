"""Planned faults: what the next calls to an endpoint shall suffer, counted exactly even if calls overlap."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Kind(Enum):
    """What goes wrong. The first group answers without doing the work, the second does the work first."""

    STATUS = "status"
    HTML_502 = "html_502"
    THROTTLE = "throttle"
    REVOKED = "revoked"
    SCOPE_MISSING = "scope_missing"
    RESET = "reset"
    HANG = "hang"
    TIMEOUT_AFTER_COMMIT = "timeout_after_commit"
    BROKEN_JSON = "broken_json"
    SLOW = "slow"

    @property
    def happens_after_commit(self) -> bool:
        return self in (Kind.TIMEOUT_AFTER_COMMIT, Kind.BROKEN_JSON, Kind.SLOW)


@dataclass(slots=True)
class Fault:
    """One line of the plan. `times` None means until it is deleted."""

    endpoint: str
    kind: Kind
    times: int | None = 1
    after: int = 0
    status: int = 503
    seconds: float | None = None
    scope: str | None = None
    probability: float | None = None
    seed: int = 0
    fired: int = 0
    passed: int = 0
    dice: random.Random = field(default_factory=random.Random)

    def to_dict(self) -> dict[str, Any]:
        names = (
            "endpoint",
            "times",
            "after",
            "status",
            "seconds",
            "scope",
            "probability",
            "seed",
            "fired",
            "passed",
        )
        return {"kind": self.kind.value, **{name: getattr(self, name) for name in names}}


def read_fault(plan: dict[str, Any]) -> Fault:
    """A fault from the control API; ValueError or TypeError when it makes no sense."""
    values = dict(plan)
    kind = Kind(values.pop("kind"))
    endpoint = str(values.pop("endpoint", "*"))
    fault = Fault(endpoint=endpoint, kind=kind, **values)
    fault.dice.seed(fault.seed)
    return fault


_PARAMETER = re.compile(r"\{[^}]*\}")


class Faults:
    """The plans of all accounts. In memory only: a restart is the end of every planned fault."""

    def __init__(self) -> None:
        self._plans: dict[str, list[Fault]] = {}
        self._lock = threading.Lock()

    def add(self, account: str, fault: Fault) -> None:
        with self._lock:
            self._plans.setdefault(account, []).append(fault)

    def clear(self, account: str) -> None:
        with self._lock:
            self._plans.pop(account, None)

    def plan(self, account: str) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.to_dict() for fault in self._plans.get(account, [])]

    def claim(self, account: str, endpoint: str, concrete: str) -> Fault | None:
        """The fault that this call suffers, if any; claiming it counts it."""
        if account not in self._plans:
            return None
        with self._lock:
            for fault in self._plans.get(account, []):
                if self._hits(fault, endpoint, concrete):
                    fault.fired += 1
                    return fault
        return None

    @staticmethod
    def _hits(fault: Fault, endpoint: str, concrete: str) -> bool:
        wanted = _PARAMETER.sub("{}", fault.endpoint)
        if wanted != "*" and wanted not in (_PARAMETER.sub("{}", endpoint), concrete):
            return False
        if fault.times is not None and fault.fired >= fault.times:
            return False
        if fault.passed < fault.after:
            fault.passed += 1
            return False
        return fault.probability is None or fault.dice.random() < fault.probability
