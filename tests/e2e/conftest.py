"""A portal and a Klaviyo that talk over HTTP: the sandbox runs in a process of its own."""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations import tasks
from integrations.models import AudienceMapping, Extension, FieldMapping, Lane, SyncBatch, SyncRun
from integrations.models.runs import OPEN_BATCHES
from integrations.services import clock, connections
from tests.factories import make_tenant
from tests.klaviyo.sandbox_process import SandboxAccount, SandboxProcess

_number = itertools.count(1)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    process = SandboxProcess(lag=0.05)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def account(sandbox: SandboxProcess) -> SandboxAccount:
    """An account nobody else uses, without rate limits."""
    account = sandbox.account(f"e2e{os.getpid()}x{next(_number)}")
    account.limits(0)
    return account


@pytest.fixture
def connect(sandbox: SandboxProcess, account: SandboxAccount) -> Callable[..., Extension]:
    """Connect a tenant to the account: `connect(fields={…}, lists={audience: list}, **settings)`."""

    def make(
        tenant: Any = None, fields: dict[str, str] | None = None, lists: Any = None, **values: Any
    ) -> Extension:
        tenant = tenant or make_tenant()
        extension = connections.create(tenant, destination="klaviyo", name="Klaviyo")
        extension.base_url = sandbox.url
        for name, value in {"merge_policy": "overwrite", **values}.items():
            setattr(extension, name, value)
        extension.save()
        connections.store_key(extension, account.key)
        for field, name in (fields or {"points_balance": "Points Balance"}).items():
            FieldMapping.objects.create(extension=extension, field=field, property=name)
        for audience, name in (lists or {}).items():
            AudienceMapping.objects.create(extension=extension, audience=audience, list_name=name)
        connections.set_active(extension, True)
        extension.full_due_at = None
        extension.save()
        return extension

    return make


def drain(extension: Extension, seconds: float = 60) -> None:
    """Do the workers' and the clock's part until nothing of the connection is open."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        clock.tick()
        tasks.work_bulk(extension.pk)
        tasks.work_live(extension.pk)
        if is_quiet(extension):
            return
        time.sleep(0.02)
    raise AssertionError(
        f"still open: {list(SyncRun.objects.open().values('pk', 'kind', 'status', 'phase', 'note'))} "
        f"{list(SyncBatch.objects.filter(state__in=OPEN_BATCHES).values('pk', 'kind', 'state', 'words', 'not_before'))}"
    )


def is_quiet(extension: Extension) -> bool:
    return not (
        SyncRun.objects.jobs().open().filter(extension=extension).exists()
        or SyncBatch.objects.filter(extension=extension, state__in=OPEN_BATCHES).exists()
        or Lane.objects.filter(extension=extension, nudged=True, name="live").exists()
        or clock._due_lanes()
    )
