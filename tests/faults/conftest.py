"""Trouble over HTTP: the sandbox makes it, and its state is the judge."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from integrations import tasks
from integrations.models import Extension, SyncBatch, SyncRun
from integrations.services import clock, lanes
from tests.e2e.conftest import account, connect, is_quiet, sandbox

__all__ = ["account", "connect", "sandbox"]  # fixtures
Connect = Callable[..., Extension]


@pytest.fixture(autouse=True)
def silence_is_noticed_soon(settings: Any) -> None:
    settings.BEAT_STALE_SECONDS = 1


def drain(extension: Extension, seconds: float = 30, *, waits: bool = False) -> None:
    """Do the workers' part to the end, or until the connection pauses; back-off is skipped unless it `waits`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not waits:
            SyncBatch.objects.filter(extension=extension, state__in=["planned", "sending"]).update(
                not_before=None
            )
            SyncRun.objects.filter(extension=extension).update(not_before=None)
        clock.tick()
        tasks.work_bulk(extension.pk)
        tasks.work_live(extension.pk)
        extension.refresh_from_db()
        if not lanes.is_workable(extension) or is_quiet(extension):
            return
        time.sleep(0.02)
    raise AssertionError(
        f"still open: {list(SyncBatch.objects.values('kind', 'state', 'words', 'attempts'))}"
    )
