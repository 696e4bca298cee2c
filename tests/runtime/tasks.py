"""What the tests let a real cluster do."""

import os
import time
from pathlib import Path

from django.conf import settings


def mark(path: str, text: str) -> None:
    with open(path, "a") as file:
        file.write(f"{text}\n")


def wait_and_mark(path: str, text: str, seconds: int) -> None:
    time.sleep(seconds)
    mark(path, text)


def tick() -> None:
    """The tick of the supervisors under test: one line per call, in the folder of this test."""
    mark(str(Path(settings.TICK_FILE)), str(os.getpid()))


def fail() -> None:
    raise RuntimeError("on purpose")
