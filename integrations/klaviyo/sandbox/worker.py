"""The background thread: takes jobs when their lag is over, one at a time, in blocks that leave room for
live calls.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time

from integrations.klaviyo.sandbox import importing, suppressing
from integrations.klaviyo.sandbox.journal import Journal
from integrations.klaviyo.sandbox.store import jobs
from integrations.klaviyo.sandbox.store.accounts import Accounts
from integrations.klaviyo.sandbox.store.database import Database

logger = logging.getLogger(__name__)

_FLUSH_SECONDS = 1.0
_QUEUED_SHARE = 0.5  # of the lag a job stays queued, the rest it is processing


class Worker:
    """Runs queued jobs and writes the journal down; unfinished jobs of an earlier process are taken up
    again.
    """

    def __init__(self, db: Database, accounts: Accounts, journal: Journal, lag_seconds: float) -> None:
        self._db = db
        self._accounts = accounts
        self._journal = journal
        self._lag_seconds = lag_seconds
        self._queue: list[tuple[float, int, str, float]] = []
        self._condition = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="sandbox-jobs", daemon=True)

    def start(self) -> None:
        for row in jobs.unfinished(self._db):
            self.enqueue(row["n"], row["a"])
        self._thread.start()

    def stop(self) -> None:
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        self._thread.join(timeout=5)
        self._journal.flush()

    def enqueue(self, job_n: int, a: int) -> None:
        """Have a job run; its lag is split between queued and processing."""
        account = self._accounts.by_number(a)
        own = account.settings.lag_seconds if account is not None else None
        lag = self._lag_seconds if own is None else own
        with self._condition:
            heapq.heappush(self._queue, (time.time() + lag * _QUEUED_SHARE, job_n, "start", lag))
            self._condition.notify()

    def _run(self) -> None:
        while True:
            step = self._next()
            if step is None:
                return
            job_n, action, lag = step
            try:
                self._do(job_n, action, lag)
            except Exception:
                logger.exception("job failed", extra={"job": job_n})

    def _next(self) -> tuple[int, str, float] | None:
        """The next step that is due; None when the process stops."""
        flushed_at = time.time()
        while True:
            with self._condition:
                if self._is_stopping:
                    return None
                now = time.time()
                if self._queue and self._queue[0][0] <= now:
                    _, job_n, action, lag = heapq.heappop(self._queue)
                    return job_n, action, lag
                due = self._queue[0][0] - now if self._queue else _FLUSH_SECONDS
                self._condition.wait(min(due, _FLUSH_SECONDS))
            if time.time() - flushed_at >= _FLUSH_SECONDS:
                self._journal.flush()
                flushed_at = time.time()

    def _do(self, job_n: int, action: str, lag: float) -> None:
        if action == "start" and lag > 0:
            jobs.start(self._db, job_n)
            with self._condition:
                heapq.heappush(self._queue, (time.time() + lag * (1 - _QUEUED_SHARE), job_n, "run", lag))
            return
        row = self._db.row("SELECT n, a, kind FROM jobs WHERE n = ?", (job_n,))
        account = self._accounts.by_number(row["a"]) if row is not None else None
        if row is None or account is None:
            return
        jobs.start(self._db, job_n)
        if row["kind"] == jobs.IMPORT:
            importing.run(self._db, account, self._journal, job_n)
        else:
            suppressing.run(self._db, account, job_n)
