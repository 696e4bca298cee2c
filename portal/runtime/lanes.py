"""One lane of the queue: a qcluster that is kept running and moving."""

import logging
import os
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from portal.runtime import queue
from portal.runtime.processes import Child

logger = logging.getLogger(__name__)

STOP_SECONDS = 30
LONGEST_PAUSE = 30.0
SETTLED_SECONDS = 10.0  # a cluster that lived this long did not fail at its start


@dataclass(frozen=True)
class Patience:
    """How long a lane may stand still with work waiting before its cluster is replaced.

    A qcluster whose idle worker was killed hangs for ever while it looks healthy (django-q2 issue #23).
    """

    idle_seconds: float = 15.0  # no process is busy
    busy_seconds: float = 0.0  # a process is busy: above the task timeout, which the cluster guards itself

    def allows(self, is_busy: bool) -> float:
        return (self.busy_seconds or settings.Q_CLUSTER["timeout"] + 15.0) if is_busy else self.idle_seconds


class LaneKeeper:
    """Starts, watches, restarts and stops one qcluster."""

    def __init__(self, lane: queue.Lane, beats: Path, patience: Patience | None = None) -> None:
        self.lane = lane
        self.beats = beats / lane
        self.patience = patience or Patience()
        self.child = Child(
            lane,
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster", "--skip-checks"],
            env={"Q_CLUSTER_NAME": lane, "QUEUE_BEAT_DIR": str(self.beats)},
        )
        self.restarts = 0
        self._pause = 0.0
        self._start_not_before = 0.0

    def keep_running(self) -> None:
        """Start the cluster when it is not there; a call that finds it running does nothing."""
        if self.child.is_running:
            return
        now = time.monotonic()
        if self.child.pid and not self._start_not_before:
            self._note_death(now)
        if now < self._start_not_before:
            return
        self._start_not_before = 0.0
        shutil.rmtree(self.beats, ignore_errors=True)
        self.child.start()

    def _note_death(self, now: float) -> None:
        self.child.kill_group()  # a leader that was killed leaves workers that go on
        lived = now - self.child.started_at
        self._pause = 0.0 if lived > SETTLED_SECONDS else min(LONGEST_PAUSE, max(0.5, self._pause * 2))
        self._start_not_before = now + self._pause
        self.restarts += 1
        logger.warning(
            "The %s cluster ended (%s); starting it again in %.1f s",
            self.lane,
            self.child.exit_code,
            self._pause,
        )

    def replace_if_stuck(self, depth: queue.Depth, *, is_alone: bool) -> bool:
        """Kill a cluster that lets work lie; `keep_running` starts the next one."""
        if not self.child.is_running or not self._is_stuck(depth, is_alone=is_alone):
            return False
        logger.error("The %s cluster has work and does not move: replacing it", self.lane)
        self.child.kill_group()
        return True

    def _is_stuck(self, depth: queue.Depth, *, is_alone: bool) -> bool:
        beat, is_busy = queue.beat_age(self.beats, is_alive=_is_alive)
        patience, age = self.patience.allows(is_busy), time.monotonic() - self.child.started_at
        waits = [depth.oldest_seconds or 0.0]
        if is_alone and (depth.oldest_claim_seconds or 0.0) < age:
            # Claimed by this very cluster; with several supervisors it may be another machine's.
            waits.append(depth.oldest_claim_seconds or 0.0)
        return age > patience and max(waits) > patience and (beat is None or beat > patience)

    def moved_at(self) -> datetime | None:
        """When a task of this lane last began or ended."""
        seconds, _ = queue.beat_age(self.beats, is_alive=_is_alive)
        return None if seconds is None else datetime.fromtimestamp(time.time() - seconds, UTC)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
