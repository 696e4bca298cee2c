"""The sandbox in a process of its own, for every test that crosses HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
REVISION = "2026-07-15"


class SandboxAccount:
    """Control over one account of the sandbox: what arrived there, and what trouble it shall make."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.key = f"pk_{name}_test"
        self._base = f"{url}/sandbox/api/accounts/{urllib.parse.quote(name)}"

    def state(self) -> dict[str, Any]:
        return self.read("state")

    def profiles(self, **query: str) -> list[dict[str, Any]]:
        """All profiles, or those of `email=`, `external_id=` or `phone=`; page by `limit=`, `offset=`."""
        return self.read("profiles", **query)["profiles"]

    def profile(self, **query: str) -> dict[str, Any]:
        """The one profile that the query names."""
        (found,) = self.profiles(**query)
        return found

    def lists(self) -> list[dict[str, Any]]:
        return self.read("lists")["lists"]

    def members(self, list_id: str) -> dict[str, Any]:
        """`emails`, `external_ids` (sorted) and `members` of a list, by its id or its name."""
        return self.read(f"lists/{urllib.parse.quote(list_id, safe='')}/members")

    def events(self, **query: str) -> list[dict[str, Any]]:
        """Events in order of arrival; narrow by `metric=`, `email=` or `external_id=`."""
        return self.read("events", **query)["events"]

    def jobs(self) -> list[dict[str, Any]]:
        return self.read("jobs")["jobs"]

    def flow_log(self) -> list[dict[str, Any]]:
        return self.read("flow-log")["starts"]

    def requests(self, **query: str) -> list[dict[str, Any]]:
        """The last calls, newest first."""
        return self.read("requests", **query)["requests"]

    def stats(self) -> dict[str, Any]:
        """`endpoints` (calls, throttled, profiles_written …), `totals` and `violations`."""
        return self.read("stats")

    def faults(self) -> list[dict[str, Any]]:
        return self.read("faults")["faults"]

    def fault(self, endpoint: str, kind: str, **plan: Any) -> None:
        """Plan a fault; `times` (default 1, None for ever), `after`, `status`, `seconds`, `probability`,
        `seed`, `scope`.
        """
        self.change("faults", {"endpoint": endpoint, "kind": kind, **plan})

    def clear_faults(self) -> None:
        self.change("faults", {}, method="DELETE")

    def refuse(
        self, *emails: str, detail: str = "This address cannot be imported.", mode: str = "later"
    ) -> None:
        self.change("refuse", {"emails": list(emails), "detail": detail, "mode": mode})

    def scopes(self, scopes: list[str] | None, key: str = "*") -> None:
        self.change("scopes", {"scopes": scopes, "key": key})

    def limits(self, scale: float | None) -> None:
        """1 is Klaviyo's limits, 0 none, None what the process was started with."""
        self.change("limits", {"limits_scale": scale})

    def lag(self, seconds: float | None) -> None:
        self.change("lag", {"seconds": seconds})

    def settings(self, **values: Any) -> None:
        """default_opt_in, drop_test_domains, seed."""
        self.change("settings", values)

    def flow(self, name: str, **trigger: str) -> str:
        """A flow with `list=` (id or name) or `metric=`; its id."""
        return self.change("flows", {"name": name, **trigger})["id"]

    def unsubscribe(self, email: str) -> None:
        """A person unsubscribes at Klaviyo."""
        self.change("unsubscribe", {"email": email})

    def confirm(self, email: str) -> None:
        """A person clicks the double opt-in mail."""
        self.change("confirm", {"email": email})

    def suppress(self, email: str, reason: str = "HARD_BOUNCE") -> None:
        self.change("suppress", {"email": email, "reason": reason})

    def allow(self, url: str, *, role: str = "Owner", decision: str = "allow") -> dict[str, str]:
        """Answer the Allow page at `url` for this account; what comes back: code and state, or error."""
        parts = urllib.parse.urlsplit(url)
        asked = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        given = {**asked, "account": self.name, "role": role, "decision": decision}
        request = urllib.request.Request(
            f"{parts.scheme}://{parts.netloc}{parts.path}", data=urllib.parse.urlencode(given).encode()
        )
        try:
            _no_redirects.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            if error.code != 302:
                raise
            back = urllib.parse.urlsplit(error.headers["Location"]).query
            return dict(urllib.parse.parse_qsl(back))
        raise AssertionError("the Allow page sent nobody back")

    def apps(self) -> list[dict[str, Any]]:
        """What is installed; of tokens nothing."""
        return self.read("apps")["apps"]

    def oauth(self, **values: Any) -> None:
        """expires_in, rotates, scopes, expire_now."""
        self.change("oauth", values)

    def uninstall(self) -> None:
        """The merchant removes the app."""
        self.change("uninstall", {})

    def reset(self) -> None:
        self.change("reset", {})

    def wait(self, is_true: Callable[[SandboxAccount], Any], seconds: float = 20) -> None:
        """Wait until `is_true(account)`; AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not is_true(self):
            if time.monotonic() > deadline:
                raise AssertionError(f"not reached in {seconds} s: {self.state()}")
            time.sleep(0.02)

    def wait_for_jobs(self, seconds: float = 20) -> None:
        self.wait(lambda account: all(job["status"] == "complete" for job in account.jobs()), seconds)

    def read(self, what: str, **query: str) -> dict[str, Any]:
        suffix = "?" + urllib.parse.urlencode(query) if query else ""
        return _call("GET", f"{self._base}/{what}{suffix}")

    def change(self, what: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        return _call(method, f"{self._base}/{what}", body)


class SandboxProcess:
    """Starts `python -m integrations.klaviyo.sandbox` on a free loopback port and stops exactly that process.

    Use it as a context manager, or with `start()` and `stop()`. The same data file and port can be started
    again: `stop()`, then `start()` on the same object keeps both.
    """

    def __init__(
        self, *, data: str | Path = ":memory:", limits: bool = False, lag: float = 0.05, port: int = 0
    ) -> None:
        self.data = str(data)
        self.limits = limits
        self.lag = lag
        self.port = port
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        command = [sys.executable, "-m", "integrations.klaviyo.sandbox", "--port", str(self.port)]
        command += ["--data", self.data, "--lag", str(self.lag), *([] if self.limits else ["--no-limits"])]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if "http://" not in line:
            raise RuntimeError(f"the sandbox did not start: {line!r}")
        self.url = line.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=5)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def kill(self) -> None:
        """End it the hard way, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def account(self, name: str) -> SandboxAccount:
        """The account of that name (letters, digits, dots, hyphens), or of a key `pk_<name>_…`."""
        if name.startswith("pk_"):
            name = name.split("_")[1]
        return SandboxAccount(self.url, name)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_no_redirects = urllib.request.build_opener(_NoRedirects)


def _call(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        url, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise LookupError(f"{method} {url}: {error.code} {error.read().decode()}") from None
