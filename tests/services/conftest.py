"""The engine on PostgreSQL with a destination that lives in memory."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations import tasks
from integrations.gateway import registry
from integrations.models import (
    AudienceMapping,
    Delivery,
    Extension,
    FieldMapping,
    SentProfile,
    SyncBatch,
    SyncRun,
)
from integrations.models.runs import OPEN_BATCHES
from integrations.services import connections, lanes
from loyalty.models import DirtyMember, OutboxEvent
from portal.runtime import owner
from tests.factories import make_tenant
from tests.fakes import FakeDestination, Remote

Connect = Callable[..., Extension]


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeDestination]:
    """The destination “fake”, empty, and the only one there is."""
    settings.DESTINATIONS = ["tests.fakes.FakeDestination"]
    registry.destinations.cache_clear()
    yield registry.get("fake")
    registry.destinations.cache_clear()


@pytest.fixture(autouse=True)
def one_beat(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process says once that it lives, not at every claim: a fifth of all queries."""
    if "fake" in request.fixturenames:
        request.getfixturevalue("db")
        identity = owner.current()
        monkeypatch.setattr(owner, "current", lambda: identity)


@pytest.fixture
def remote(fake: FakeDestination) -> Remote:
    return fake.remote


@pytest.fixture
def connect(fake: FakeDestination) -> Connect:
    """`connect(tenant, fields={field: property}, lists={audience: name}, **settings)`, active at once."""

    def make(
        tenant: Any = None, fields: dict[str, str] | None = None, lists: Any = None, **values: Any
    ) -> Extension:
        extension = connections.create(tenant or make_tenant(), destination="fake", name="Fake")
        for name, value in {"merge_policy": "overwrite", **values}.items():
            setattr(extension, name, value)
        extension.save()
        connections.store_key(extension, "key")
        for field, name in (fields or {"points_balance": "Points"}).items():
            FieldMapping.objects.create(extension=extension, field=field, property=name)
        for audience, name in (lists or {}).items():
            AudienceMapping.objects.create(extension=extension, audience=audience, list_name=name)
        connections.set_active(extension, True)
        return extension

    return make


def hurry(extension: Extension) -> None:
    """Let the time pass that batches and runs wait for."""
    SyncBatch.objects.filter(extension=extension).update(not_before=None)
    SyncRun.objects.filter(extension=extension).update(not_before=None)


def step(extension: Extension) -> None:
    """One look of each lane, as if every waiting time were over."""
    hurry(extension)
    tasks.work_bulk(extension.pk)
    tasks.work_live(extension.pk)


def drain(extension: Extension, rounds: int = 60) -> None:
    """Work in both lanes until nothing is left to do, or the connection pauses."""
    for _ in range(rounds):
        step(extension)
        extension.refresh_from_db()
        if not lanes.is_workable(extension) or is_quiet(extension):
            return
    raise AssertionError(
        f"still open: {list(SyncRun.objects.open().values('pk', 'kind', 'status', 'phase', 'note'))} "
        f"{list(SyncBatch.objects.filter(state__in=OPEN_BATCHES).values('pk', 'kind', 'state', 'words'))}"
    )


def is_quiet(extension: Extension) -> bool:
    return not (
        SyncRun.objects.jobs().open().filter(extension=extension).exists()
        or SyncBatch.objects.filter(extension=extension, state__in=OPEN_BATCHES).exists()
        or SentProfile.objects.filter(extension=extension, due_at__isnull=False).exists()
        or DirtyMember.objects.filter(tenant_id=extension.tenant_id).exists()
        or OutboxEvent.objects.filter(tenant_id=extension.tenant_id, routed_at=None).exists()
        or (extension.events_enabled and Delivery.objects.open().filter(extension=extension).exists())
    )
