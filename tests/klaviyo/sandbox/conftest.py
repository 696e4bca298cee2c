"""One sandbox process for these tests, one account of its own for each of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.klaviyo.sandbox_process import REVISION, SandboxAccount, SandboxProcess

_numbers = itertools.count(1)

Api = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(lag=0) as process:
        yield process


@pytest.fixture
def account(sandbox: SandboxProcess) -> SandboxAccount:
    return sandbox.account(f"test{next(_numbers)}")


@pytest.fixture
def api(sandbox: SandboxProcess, account: SandboxAccount) -> Iterator[Api]:
    """`api("POST", "/api/lists", {...})`: one call with the account's key."""
    session = requests.Session()

    def call(method: str, path: str, body: Any = None, /, **options: Any) -> requests.Response:
        headers = {
            "Authorization": f"Klaviyo-API-Key {account.key}",
            "revision": REVISION,
            "Content-Type": "application/vnd.api+json",
            **options.pop("headers", {}),
        }
        data = json.dumps(body) if body is not None else None
        headers = {name: value for name, value in headers.items() if value is not None}
        return session.request(method, sandbox.url + path, data=data, headers=headers, timeout=20, **options)

    yield call
    session.close()


@pytest.fixture
def make_list(api: Api) -> Callable[..., str]:
    def make(name: str = "VIP", **attributes: Any) -> str:
        body = {"data": {"type": "list", "attributes": {"name": name, **attributes}}}
        answer = api("POST", "/api/lists", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["id"]

    return make


@pytest.fixture
def run_import(api: Api, account: SandboxAccount) -> Callable[..., str]:
    """Import rows and wait for the job; its id."""

    def run(rows: list[dict[str, Any]], lists: tuple[str, ...] = ()) -> str:
        answer = api("POST", "/api/profile-bulk-import-jobs", import_body(rows, lists))
        assert answer.status_code == 202, answer.text
        account.wait_for_jobs()
        return answer.json()["data"]["id"]

    return run


def import_body(rows: list[dict[str, Any]], lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """A bulk import of rows that are attributes, or whole resources when they have a type."""
    profiles = [row if "type" in row else profile(row) for row in rows]
    data: dict[str, Any] = {
        "type": "profile-bulk-import-job",
        "attributes": {"profiles": {"data": profiles}},
    }
    if lists:
        data["relationships"] = {"lists": {"data": [{"type": "list", "id": list_id} for list_id in lists]}}
    return {"data": data}


def profile(attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "profile", "attributes": attributes, **more}


def event(email: str, metric: str = "Points Earned", **attributes: Any) -> dict[str, Any]:
    """The body of one event."""
    made = {"properties": {}, **attributes}
    made["metric"] = {"data": {"type": "metric", "attributes": {"name": metric}}}
    made["profile"] = {"data": profile({"email": email})}
    return {"data": {"type": "event", "attributes": made}}
