"""Settings of the whole portal that a test starts: as in production, but for what it calls."""

from tests.settings import *  # noqa: F403

BEAT_SECONDS = 1
TICK_TARGET = "tests.runtime.tasks.tick"
TICK_FILE = "/dev/null"
