"""A tenant whose connection leads to a destination in memory, and a worker that works while a command waits."""

import io
import json
import time
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from integrations import tasks
from integrations.gateway import registry
from integrations.models import Extension, FieldMapping
from integrations.services import clock, connections, following
from tests.factories import make_tenant
from tests.fakes import FakeDestination


@pytest.fixture
def fake(monkeypatch):
    destination = FakeDestination()
    monkeypatch.setattr(registry, "destinations", lambda: {destination.key: destination})
    return destination


@pytest.fixture
def tenant(db):
    return make_tenant("acme")


def make_extension(tenant, name="Fake", *, active=True, key="key"):
    extension = connections.create(tenant, destination="fake", name=name)
    connections.store_key(extension, key)
    FieldMapping.objects.create(extension=extension, field="points_balance", property="Points")
    if active:
        connections.set_active(extension, True)
    return extension


@pytest.fixture
def extension(tenant, fake):
    return make_extension(tenant)


@pytest.fixture
def worker(monkeypatch):
    """Whenever a command sleeps, a worker serves every connection once."""

    def serve(seconds):
        clock.tick()
        for pk in Extension.objects.values_list("pk", flat=True):
            tasks.work_bulk(pk)
        time.sleep(0.01)

    monkeypatch.setattr(following, "time", SimpleNamespace(sleep=serve, monotonic=time.monotonic))


@pytest.fixture
def nobody(monkeypatch):
    """Nobody works; the clock goes on ten seconds at every look."""
    now = SimpleNamespace(seconds=0.0)

    def sleep(seconds):
        now.seconds += 10

    monkeypatch.setattr(following, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: now.seconds))


@pytest.fixture
def run_command():
    """Run a command; return (exit status, stdout, stderr) as a shell would see them."""

    def run(*words):
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command(*words, stdout=out, stderr=err)
            status = 0
        except SystemExit as error:
            status = error.code
        except CommandError as error:
            err.write(f"CommandError: {error}")
            status = error.returncode
        return SimpleNamespace(status=status, out=out.getvalue(), err=err.getvalue())

    return run


def runs_of(result):
    """The runs of the one JSON object on stdout."""
    told = json.loads(result.out)
    assert set(told) == {"runs"}
    return told["runs"]
