"""`manage.py up` as a process: what a person sees who starts it, twice, and stops it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from portal.runtime import embedded_postgres

pytestmark = pytest.mark.slow
STARTED = "Ctrl-C stops everything"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Portal:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.output = folder / "output"
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "tests.portal.up_settings"}
        command = [sys.executable, "manage.py", "up", "--no-demo", "--port", str(port)]
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                command, env=environment, cwd=settings.BASE_DIR, stdout=output, stderr=output
            )

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_started(self) -> "Portal":
        deadline = time.monotonic() + 60
        while STARTED not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        return self

    def left_behind(self) -> str:
        """Processes that still name this folder or were started by this portal."""
        found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
        ours = (str(self.folder), f"127.0.0.1:{self.port}")
        return "\n".join(line for line in found.splitlines() if any(name in line for name in ours))


@pytest.fixture
def folders() -> Iterator[tuple[Path, Path]]:
    found = (
        Path(tempfile.mkdtemp(prefix="lp-up-", dir="/tmp")),
        Path(tempfile.mkdtemp(prefix="lp-up-", dir="/tmp")),
    )
    for folder in found:
        folder.chmod(0o755)
    yield found
    for folder in found:
        shutil.rmtree(folder)
        shutil.rmtree(embedded_postgres.socket_folder(folder), ignore_errors=True)


def test_it_starts_refuses_a_second_one_and_stops_leaving_nobody(folders: tuple[Path, Path]) -> None:
    portal = Portal(folders[0], free_port()).wait_until_started()
    with urllib.request.urlopen(f"http://127.0.0.1:{portal.port}/readyz") as answer:
        assert answer.status == 200

    same_data = Portal(folders[0], free_port())
    assert same_data.process.wait(30) == 1
    assert f"already runs on the data in {folders[0]}" in same_data.said()
    same_port = Portal(folders[1], portal.port)
    assert same_port.process.wait(30) == 1
    assert f"Port {portal.port} for the portal is taken" in same_port.said()
    assert f'make run ARGS="--port {portal.port + 1}"' in same_port.said()

    portal.process.send_signal(signal.SIGINT)
    assert portal.process.wait(30) == 0
    assert portal.said().rstrip().endswith("Stopped.")
    assert portal.left_behind() == ""


def test_a_process_that_ends_stops_the_rest_and_shows_its_log(folders: tuple[Path, Path]) -> None:
    portal = Portal(folders[0], free_port()).wait_until_started()
    found = subprocess.run(
        ["pgrep", "-f", f"^{sys.executable} -m gunicorn .*127.0.0.1:{portal.port}", "-o"],
        capture_output=True, text=True,
    )  # fmt: skip
    os.kill(int(found.stdout), signal.SIGKILL)
    assert portal.process.wait(30) == 1
    assert "The web process ended (-9), so everything stops" in portal.said()
    assert "Booting worker" in portal.said()
    time.sleep(0.5)
    assert portal.left_behind() == ""
