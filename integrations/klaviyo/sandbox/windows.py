"""Klaviyo's rate limits: two fixed windows at once, one second and one minute, and a day for few endpoints.

Source: "Rate limits, status codes, and errors" in the developer docs. Windows are aligned to the clock; a
refused call is not counted. Retry-After is present on 429 only, RateLimit-* on success only.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import NamedTuple

from integrations.klaviyo.sandbox.limits_table import Limit

_DAY = 86_400


class Key(NamedTuple):
    """Whose window: private keys of one account share a pool, OAuth apps have their own."""

    account: int
    auth_kind: str
    endpoint: str


@dataclass(slots=True)
class _Window:
    seconds: int
    start: int = 0
    count: int = 0

    def left(self, limit: int, now: float) -> int:
        start = int(now) // self.seconds * self.seconds
        if start != self.start:
            self.start, self.count = start, 0
        return limit - self.count

    def wait(self, now: float) -> int:
        return max(1, math.ceil(self.start + self.seconds - now))


def _three_windows() -> tuple[_Window, _Window, _Window]:
    return _Window(1), _Window(60), _Window(_DAY)


@dataclass(slots=True)
class Windows:
    """Counts calls per key."""

    _windows: dict[Key, tuple[_Window, _Window, _Window]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, wanted: list[tuple[Key, Limit]], scale: float, now: float) -> int:
        """Count one call against every limit in `wanted`, or count nothing and return the seconds to wait."""
        with self._lock:
            counted: list[_Window] = []
            wait = 0
            for key, limit in wanted:
                windows = self._windows.setdefault(key, _three_windows())
                for window, allowed in zip(windows, limit, strict=True):
                    if allowed is None:
                        continue
                    if window.left(scaled(allowed, scale), now) <= 0:
                        wait = max(wait, window.wait(now))
                    counted.append(window)
            if wait:
                return wait
            for window in counted:
                window.count += 1
            return 0

    def headers(self, key: Key, limit: Limit, scale: float, now: float) -> dict[str, str]:
        """RateLimit-* of the burst window, as recent recordings show them (the docs still describe the
        steady one).
        """
        burst, steady = scaled(limit.burst, scale), scaled(limit.steady, scale)
        with self._lock:
            window = self._windows.setdefault(key, _three_windows())[0]
            left = window.left(burst, now)
            return {
                "RateLimit-Limit": f"{burst}, {burst};w=1, {steady};w=60",
                "RateLimit-Remaining": str(max(0, left)),
                "RateLimit-Reset": str(window.wait(now)),
            }


def scaled(allowed: int, scale: float) -> int:
    return max(1, int(allowed * scale))
