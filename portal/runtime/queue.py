"""The only door to the queue (django-q2). A task says where work is, never what it is: pass ids.

Any task may be lost, run twice or be killed half-way; what matters is in our own rows.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signals import post_execute_in_worker, pre_execute
from django_q.tasks import async_task

from portal.runtime.models import Worker

logger = logging.getLogger(__name__)

Lane = Literal["live", "bulk"]
LANES: tuple[Lane, ...] = get_args(Lane)


def enqueue(dotted: str, *args: int | str, lane: Lane) -> None:
    """Queue a call of a dotted name; inside a transaction it is queued with it, or not at all."""
    # Successes are not stored (it costs a factor of 3 to 6); failures always are.
    async_task(dotted, *args, q_options={"cluster": lane, "save": False, "ack_failure": True})


# Announcing ----------------------------------------------------------------------------------------


class _Announcement:
    """Wakes one tenant's live lane, once."""

    def __init__(self, tenant_id: int) -> None:
        self.tenant_id = tenant_id
        self.is_made = False

    def __call__(self) -> None:
        self.is_made = True
        try:
            import_string(settings.ANNOUNCE_TARGET)(self.tenant_id)
        except Exception:  # the tick finds the work anyway: the caller's request is not to fail
            logger.exception("Could not announce the changes of tenant %s", self.tenant_id)


def announce(tenant_id: int) -> None:
    """After commit, once per tenant and transaction, tell the sync engine that something changed."""
    # Django takes the callbacks of a savepoint that is rolled back away, so one that is still here stands.
    for _, call, *_ in connection.run_on_commit:
        if isinstance(call, _Announcement) and call.tenant_id == tenant_id and not call.is_made:
            return
    transaction.on_commit(_Announcement(tenant_id))


# Looking -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Depth:
    """How much waits in one lane."""

    claimable: int  # nobody has taken it
    oldest_seconds: float | None  # how long the oldest claimable task has been so
    claimed: int
    oldest_claim_seconds: float | None  # how long ago the oldest claimed one was taken


def depth() -> dict[Lane, Depth]:
    """Return what waits in each lane, by the database's clock."""
    retry = timedelta(seconds=settings.Q_CLUSTER["retry"])
    claimable = Q(lock__lt=Now())
    rows = (
        OrmQ.objects.filter(key__in=LANES)
        .values("key")
        .annotate(
            now=Max(Now()),
            free=Count("id", filter=claimable),
            taken=Count("id", filter=~claimable),
            free_since=Min("lock", filter=claimable),
            locked_until=Min("lock", filter=~claimable),
        )
    )
    found = {row["key"]: row for row in rows}
    return {lane: _depth(found[lane], retry) if lane in found else Depth(0, None, 0, None) for lane in LANES}


def _depth(row: dict[str, Any], retry: timedelta) -> Depth:
    free_since, locked_until = row["free_since"], row["locked_until"]
    return Depth(
        claimable=row["free"],
        oldest_seconds=(row["now"] - free_since).total_seconds() if free_since else None,
        claimed=row["taken"],
        oldest_claim_seconds=(row["now"] - (locked_until - retry)).total_seconds() if locked_until else None,
    )


def last_progress() -> datetime | None:
    """When a task last began or ended anywhere, as the supervisors saw it."""
    found: datetime | None = Worker.objects.aggregate(at=Max("progress_at"))["at"]
    return found


# Beats: files by which a supervisor sees its own workers move ----------------------------------------


def beat_into(folder: Path) -> None:
    """Leave a file per busy process, and touch `beat`, around every task of this process's children."""
    folder.mkdir(parents=True, exist_ok=True)

    def began(**_: Any) -> None:
        _touch(folder / "beat")
        _touch(folder / str(os.getpid()))

    def ended(**_: Any) -> None:
        _touch(folder / "beat")
        with contextlib.suppress(OSError):
            (folder / str(os.getpid())).unlink()

    pre_execute.connect(began, weak=False, dispatch_uid="beat")
    post_execute_in_worker.connect(ended, weak=False, dispatch_uid="beat")


def _touch(path: Path) -> None:
    """A disk that is full must not stop the work."""
    with contextlib.suppress(OSError):
        path.touch()


def beat_age(folder: Path, *, is_alive: Callable[[int], bool]) -> tuple[float | None, bool]:
    """Return the seconds since the last beat, and whether a living process is busy."""
    last, is_busy = None, False
    with contextlib.suppress(OSError):
        last = time.time() - (folder / "beat").stat().st_mtime
        is_busy = any(is_alive(int(file.name)) for file in folder.iterdir() if file.name.isdigit())
    return last, is_busy
