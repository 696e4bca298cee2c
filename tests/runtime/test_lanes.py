import os
import time
from pathlib import Path

import pytest

from portal.runtime.lanes import LaneKeeper, Patience
from portal.runtime.queue import Depth

NOTHING = Depth(0, None, 0, None)
OLD = Depth(3, 30.0, 0, None)
CLAIMED = Depth(0, None, 2, 30.0)
CLAIMED_BEFORE_ITS_TIME = Depth(0, None, 2, 500.0)


def keeper(folder: Path, *, beat_age: float | None, is_busy: bool, age: float = 100.0) -> LaneKeeper:
    found = LaneKeeper("live", folder, Patience(idle_seconds=10, busy_seconds=75))
    found.child.started_at = time.monotonic() - age
    found.beats.mkdir(parents=True)
    if beat_age is not None:
        (found.beats / "beat").touch()
        os.utime(found.beats / "beat", (time.time() - beat_age,) * 2)
    if is_busy:
        (found.beats / str(os.getpid())).touch()
    return found


@pytest.mark.parametrize(
    ("depth", "is_alone", "beat_age", "is_busy", "is_stuck"),
    [
        (NOTHING, True, None, False, False),
        (OLD, True, None, False, True),
        (OLD, True, 50, False, True),
        (OLD, True, 2, False, False),  # it moves
        (OLD, True, 50, True, False),  # a long task
        (OLD, False, 50, False, True),
        (CLAIMED, True, 50, False, True),  # claimed by a cluster that does nothing with it
        (CLAIMED, False, 50, False, False),  # perhaps by another machine
        (CLAIMED_BEFORE_ITS_TIME, True, 50, False, False),  # by a cluster before this one
    ],
)
def test_a_lane_is_stuck_when_work_lies_and_nothing_moves(
    tmp_path: Path, depth: Depth, is_alone: bool, beat_age: float | None, is_busy: bool, is_stuck: bool
) -> None:
    lane = keeper(tmp_path, beat_age=beat_age, is_busy=is_busy)
    assert lane._is_stuck(depth, is_alone=is_alone) is is_stuck


def test_a_young_cluster_is_given_time(tmp_path: Path) -> None:
    assert not keeper(tmp_path, beat_age=None, is_busy=False, age=5)._is_stuck(OLD, is_alone=True)
