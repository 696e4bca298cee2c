"""Settings of the supervisors that tests start as processes."""

import os

from tests.settings import *  # noqa: F403

BEAT_SECONDS = 1
TICK_TARGET = "tests.runtime.tasks.tick"
TICK_FILE = os.environ.get("TICK_FILE", "/dev/null")
ROOT_URLCONF = "tests.runtime.no_urls"
