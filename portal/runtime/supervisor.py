"""`manage.py worker`: two qclusters kept alive and moving, the tick, the schedules, a heartbeat."""

import logging
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from portal.runtime import owner, processes, queue, schedules
from portal.runtime.lanes import STOP_SECONDS, LaneKeeper, Patience
from portal.runtime.models import Worker
from portal.runtime.ticker import Ticker

logger = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_SECONDS = 2.0
FORGET_AFTER = timedelta(hours=1)


class Supervisor:
    """Runs until a signal. Everything that it loses (a child, the database) comes back by itself."""

    def __init__(self, *, patience: Patience | None = None, stop_seconds: float = STOP_SECONDS) -> None:
        self._patience = patience
        self._stop_seconds = stop_seconds
        self._next_look = 0.0

    def run(self) -> None:
        signals = processes.Signals()
        if not self._wait_for_database(signals):
            return
        me = owner.this_process("supervisor")
        ticker = Ticker()
        with tempfile.TemporaryDirectory(prefix="lp-beats-") as folder:
            lanes = [LaneKeeper(lane, Path(folder), self._patience) for lane in queue.LANES]
            ticker.start()
            try:
                while not signals.stopping:
                    for lane in lanes:
                        lane.keep_running()
                    self._look_now_and_then(lanes, me)
                    signals.sleep(1.0)
            finally:
                logger.info("Stopping")
                processes.stop_all([lane.child for lane in lanes], self._stop_seconds)
                ticker.stop()
                me.stop()

    def _wait_for_database(self, signals: processes.Signals) -> bool:
        """Apply the schedules, which needs a migrated database; wait for one."""
        while not signals.stopping:
            if _tolerant(schedules.apply) is not None:
                return True
            signals.sleep(2.0)
        return False

    def _look_now_and_then(self, lanes: list[LaneKeeper], me: owner.Owner) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECONDS
        moved = [at for lane in lanes if (at := lane.moved_at())]
        if moved:
            me.progress_at = max(moved)
        depths = _tolerant(queue.depth)
        alone = _tolerant(_is_alone)
        if depths is not None:
            for lane in lanes:
                lane.replace_if_stuck(depths[lane.lane], is_alone=bool(alone))


def _is_alone() -> bool:
    Worker.objects.filter(beat_at__lt=Now() - FORGET_AFTER).delete()
    return Worker.objects.supervisors().alive().count() <= 1


def _tolerant(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The database does not answer, trying again: %s", error)
        connection.close()
        return None
