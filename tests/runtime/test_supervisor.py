"""Real clusters on the test's own database, and what becomes of them when they are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from portal.runtime import queue
from portal.runtime.models import Worker
from tests.runtime import database

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MARK = "tests.runtime.tasks.mark"


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(line) for line in found.split()]


class Running:
    def __init__(self, folder: Path) -> None:
        self.ticks = folder / "ticks"
        self.done = folder / "done"
        self.log = folder / "log"
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DATABASE_URL": database.url(),
            "DJANGO_SETTINGS_MODULE": "tests.runtime.worker_settings",
            "TICK_FILE": str(self.ticks),
            "PYTHONPATH": str(settings.BASE_DIR),
        }
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.runtime.run_supervisor"],
                env=environment, cwd=settings.BASE_DIR, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def marks(self) -> list[str]:
        return self.done.read_text().split() if self.done.exists() else []

    def cluster(self, lane: str) -> int:
        """The leader of a lane's cluster."""
        for pid in children_of(self.processes[0].pid):
            if f"Q_CLUSTER_NAME={lane}".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                return pid
        raise LookupError(lane)

    def has_other(self, lane: str, leader: int) -> bool:
        """Whether the lane's cluster is another one by now."""
        try:
            return self.cluster(lane) != leader
        except (LookupError, OSError):  # not there yet, or gone while it is looked at
            return False

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    found.start()
    yield found
    found.stop()
    sys.stdout.write(found.log.read_text())  # pytest shows it when the test fails


def enqueue(running: Running, *names: str, lane: queue.Lane = "live") -> None:
    for name in names:
        queue.enqueue(MARK, str(running.done), name, lane=lane)


def all_done(running: Running, *names: str) -> Callable[[], bool]:
    return lambda: set(names) <= set(running.marks())


def test_a_killed_cluster_comes_back_and_a_stop_leaves_nobody(running: Running) -> None:
    enqueue(running, "one", lane="live")
    enqueue(running, "two", lane="bulk")
    wait_for(all_done(running, "one", "two"))
    wait_for(lambda: Worker.objects.supervisors().alive().exists())
    wait_for(lambda: queue.last_progress() is not None)

    leader = running.cluster("live")
    os.kill(leader, signal.SIGKILL)
    # Not before the new one: what the dying cluster's own processes claim in between is lost for `retry`.
    wait_for(lambda: running.has_other("live", leader))
    enqueue(running, "after")
    wait_for(all_done(running, "after"))

    groups = children_of(running.processes[0].pid)
    started = time.monotonic()
    running.processes[0].terminate()
    assert running.processes[0].wait(20) == 0
    assert time.monotonic() - started < 8
    for group in groups:
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)
    assert not Worker.objects.supervisors().exists()


def test_a_cluster_whose_idle_workers_were_killed_is_replaced(running: Running) -> None:
    enqueue(running, "first")
    wait_for(all_done(running, "first"))
    leader = running.cluster("live")
    (sentinel,) = children_of(leader)
    workers = sorted(children_of(sentinel))[: settings.QUEUE_WORKERS]
    for worker in workers:  # one of them holds the lock of the task queue: nobody gets a task any more
        os.kill(worker, signal.SIGKILL)
    time.sleep(1)
    names = [f"n{number}" for number in range(6)]
    enqueue(running, *names)
    wait_for(lambda: "does not move" in running.log.read_text())
    # What the dead cluster had claimed comes back after `retry`; the rest is done at once.
    wait_for(lambda: len(set(running.marks()) & set(names)) >= 3)


def test_one_of_two_supervisors_ticks_and_the_other_takes_over(running: Running) -> None:
    wait_for(lambda: running.ticks.exists() and running.ticks.read_text().count("\n") >= 2)
    other = running.start()
    wait_for(lambda: Worker.objects.supervisors().alive().count() == 2)
    before = len(running.ticks.read_text().split())
    time.sleep(2.2)
    ticking = running.ticks.read_text().split()[before:]
    assert set(ticking) == {str(running.processes[0].pid)}
    assert 1 <= len(ticking) <= 3
    orphans = children_of(running.processes[0].pid)
    assert len(orphans) == 2
    running.processes[0].kill()
    wait_for(lambda: str(other.pid) in running.ticks.read_text().split())
    wait_for(lambda: not any(is_alive(pid) for pid in orphans), 15)


def is_alive(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
