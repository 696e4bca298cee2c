"""A worker that is killed in the middle of its work: nothing is lost, nothing comes twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from integrations.models import SyncRun
from integrations.services import sync
from tests.faults.conftest import Connect, drain
from tests.faults.shop import assert_all_is_there, open_shop
from tests.klaviyo.sandbox_process import SandboxAccount

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def worker(extension_id: int) -> Iterator[Callable[[], None]]:
    """Start a worker on the test's database; yields what kills it with signal 9."""
    command = [sys.executable, "-m", "tests.faults.worker_process", str(connection.settings_dict["NAME"])]
    process = subprocess.Popen([*command, str(extension_id)], cwd=ROOT, stderr=subprocess.DEVNULL)

    def kill() -> None:
        assert process.poll() is None, "the worker ended by itself"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    try:
        yield kill
    finally:
        if process.poll() is None:
            kill()


def wait_until(is_true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "not reached"
        time.sleep(0.01)


MOMENTS = {
    # what is made slow, and what shows that the work was done but not answered
    "import": ("POST /api/profile-bulk-import-jobs", lambda account: account.jobs()),
    "poll": ("GET /api/profile-bulk-import-jobs/{job_id}", lambda account: account.profiles(limit="1")),
    "events": ("POST /api/event-bulk-create-jobs", lambda account: account.events()),
    "list": ("POST /api/lists", lambda account: account.lists()),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_the_answer_is_on_its_way(connect: Connect, account: SandboxAccount, moment: str):
    shop = open_shop(connect)
    endpoint, is_done = MOMENTS[moment]
    account.fault(endpoint, "slow", seconds=1.5)
    run = sync.start(shop.extension, kind="full")
    with worker(shop.extension.pk) as kill:
        wait_until(lambda: is_done(account))
        time.sleep(0.1)
        kill()
    drain(shop.extension)
    run.refresh_from_db()
    assert run.status == "succeeded", (run.note, run.counts)
    assert_all_is_there(account, shop)
    (fault,) = account.faults()
    assert fault["fired"] == 1
    handed_over = sum(call["endpoint"] == endpoint for call in account.requests())
    if moment in ("import", "events"):  # one batch was handed over twice, and is there once
        assert handed_over == {"import": 2, "events": 1}[moment] + 1


def test_killed_again_and_again(connect: Connect, account: SandboxAccount):
    shop = open_shop(connect)
    sync.start(shop.extension, kind="full")
    calls = 0
    for number in range(2):
        with worker(shop.extension.pk) as kill:
            wait_until(lambda calls=calls: len(account.requests()) > calls + 1 or is_over(shop))
            time.sleep(0.03 * number)
            kill()
        calls = len(account.requests())
        if is_over(shop):
            break
        time.sleep(1.0)  # until its silence is noticed
    drain(shop.extension)
    assert is_over(shop)
    assert_all_is_there(account, shop)


def is_over(shop) -> bool:
    return not SyncRun.objects.jobs().open().filter(extension=shop.extension).exists()
