from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from portal import health, launch_guards, secret_rows
from portal.runtime import owner, queue
from portal.tenancy.secrets import UnreadableSecret


def broken(*_: Any) -> None:
    raise OperationalError("connection refused to secret-host")


def test_healthz_asks_nothing_of_the_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert client.post("/healthz").status_code == 405


@pytest.fixture
def a_worker(db: None) -> None:
    owner.Owner("supervisor").beat()


def test_ready_when_everything_works(client: Client, a_worker: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "attention": [],
        "checks": dict.fromkeys(health.CHECKS, "ok"),
    }


@pytest.mark.django_db
def test_a_missing_worker_is_told_and_data_is_taken_in_all_the_same(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert (answer.json()["ready"], answer.json()["attention"]) == (True, ["workers"])
    assert answer.json()["checks"]["workers"] == "No worker is alive: start manage.py worker."


def test_work_that_lies_is_told(client: Client, a_worker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    lying = {"live": queue.Depth(1, 400.0, 0, None), "bulk": queue.Depth(1, 4.0, 0, None)}
    monkeypatch.setattr(queue, "depth", lambda: lying)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["attention"]) == (200, ["queue"])
    assert answer.json()["checks"]["queue"] == "Work has waited for more than 5 minutes in: live."


def test_not_ready_when_a_secret_cannot_be_read(
    client: Client, a_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable() -> None:
        raise UnreadableSecret("A stored secret cannot be decrypted.")

    monkeypatch.setattr(secret_rows, "read_newest", unreadable)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "cannot be decrypted" in answer.json()["checks"]["secrets"]


def test_a_dead_database_is_told_without_its_address(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.CHECKS, "database", broken)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["checks"]) == ["database"]
    assert "secret-host" not in answer.content.decode()


@pytest.mark.django_db
def test_missing_migrations_are_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_unapplied", lambda: 2)
    assert "2 migrations are not applied" in client.get("/readyz").json()["checks"]["migrations"]


def test_up_waits_for_the_worker_too(live_server: Any, transactional_db: None) -> None:
    assert launch_guards.readiness(live_server.url) == (False, "No worker is alive: start manage.py worker.")
    owner.Owner("supervisor").beat()
    assert launch_guards.readiness(live_server.url) == (True, "")
