"""What stands around a start: alone on the data, free ports, and the question whether it is ready."""

import contextlib
import errno
import fcntl
import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from django.core.management import CommandError

HOST = "127.0.0.1"


@contextlib.contextmanager
def only_one(data_dir: Path, address: str) -> Iterator[None]:
    """Lock the data folder for one `up`; the lock goes with the process."""
    with open(data_dir / "up.lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CommandError(
                f"The portal already runs on the data in {data_dir} ({file.read().strip()}). Stop that "
                "one with Ctrl-C in its window, or give this one other data and ports:\n"
                '  DATA_DIR=.data-2 make run ARGS="--port 8001 --sandbox-port 8401"'
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, {address}")
        file.flush()
        yield


def require_free_port(port: int, option: str, what: str) -> None:
    """Say in plain words that a port is taken and what to do."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            reason = "is taken by another program" if error.errno == errno.EADDRINUSE else "may not be used"
            raise CommandError(
                f"Port {port} for {what} {reason}. Choose another with {option}, "
                f'for example: make run ARGS="{option} {port + 1}"'
            ) from None


def readiness(portal: str) -> tuple[bool, str]:
    """Whether everything works, workers too; otherwise what does not."""
    request = urllib.request.Request(f"{portal}/readyz", headers={"User-Agent": "up"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            words = _words(answer.read())
            return not words, words
    except urllib.error.HTTPError as error:
        return False, _words(error.read())
    except OSError as error:
        return False, f"it does not answer ({error})"


def _words(body: bytes) -> str:
    try:
        checks = json.loads(body)["checks"]
    except (ValueError, KeyError, TypeError):
        return "it answers with an error"
    return " ".join(words for words in checks.values() if words != "ok")
