"""What a bulk import job does once it runs.

Sources of its traps: rows are applied in no promised order, and repeated identifiers may be dropped
(rudder-server PR 7107, "bulk profile import" guide); conflicts found late fail their row while the rest
succeeds; `null`" " clears nothing here.
"""

from __future__ import annotations

import json
import random
import time
from typing import Any

from integrations.klaviyo.sandbox import payloads
from integrations.klaviyo.sandbox.errors import DUPLICATE_DETAIL
from integrations.klaviyo.sandbox.journal import Journal
from integrations.klaviyo.sandbox.payloads import ProfilePayload
from integrations.klaviyo.sandbox.store import jobs, lists
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.store.database import Database
from integrations.klaviyo.sandbox.store.workspace import Conflict, UnknownId, Workspace

BLOCK = 500
_ENDPOINT = "POST /api/profile-bulk-import-jobs"

Failure = tuple[str, str, str]


def rows_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = body["data"]["attributes"]["profiles"]["data"]
    return rows


def run(db: Database, account: Account, journal: Journal, job_n: int) -> None:
    """Apply a job to its end; safe to repeat from the beginning."""
    body = jobs.body_of(db, job_n)
    if body is None:
        return
    list_numbers = json.loads(db.value("SELECT lists FROM jobs WHERE n = ?", (job_n,)))
    work = _Job(db, account, job_n, rows_of(body), list_numbers)
    del body
    written = work.run()
    journal.count(account.a, _ENDPOINT, "profiles_written", written)


class _Job:
    def __init__(
        self, db: Database, account: Account, job_n: int, rows: list[dict[str, Any]], list_numbers: list[int]
    ) -> None:
        self._db = db
        self._account = account
        self._job_n = job_n
        self._rows = rows
        self._list_numbers = list_numbers
        self._seen: set[tuple[str, str]] = set()
        self._written: dict[int, int] = {}  # row index to profile number
        self._failed = 0

    def run(self) -> int:
        order = list(range(len(self._rows)))
        random.Random(self._account.settings.seed * 1_000_003 + self._job_n).shuffle(order)
        for start in range(0, len(order), BLOCK):
            # One short transaction per block: live calls get their turn in between.
            with self._db.transaction():
                self._block(order[start : start + BLOCK])
                jobs.progress(self._db, self._job_n, done=len(self._written), failed=self._failed)
        with self._db.transaction():
            numbers = [self._written[index] for index in sorted(self._written)]
            jobs.finish(self._db, self._job_n, numbers)
        return len(self._written)

    def _block(self, indexes: list[int]) -> None:
        read = [(index, payloads.restore(self._rows[index])) for index in indexes]
        workspace = Workspace(self._db, self._account.a, int(time.time()))
        workspace.load(payload.identity for _, payload in read)
        failures: list[tuple[int, Failure]] = []
        numbers: list[int] = []
        for index, payload in read:
            failure = self._refusal(payload) or self._apply(workspace, index, payload)
            if failure is not None:
                failures.append((index, failure))
            else:
                numbers.append(self._written[index])
        workspace.save()
        for list_n in self._list_numbers:
            lists.add(self._db, self._account.a, list_n, numbers)
        self._note(failures)

    def _refusal(self, payload: ProfilePayload) -> Failure | None:
        """Addresses on the account's refused list, and identifiers that the job had before."""
        email = payload.identity.email
        if email is not None and email in self._account.refused_later:
            return "invalid", "Invalid input.", self._account.refused_later[email]
        names = [
            (kind, value)
            for kind, value in zip(payload.identity._fields, payload.identity, strict=True)
            if value
        ]
        if any(name in self._seen for name in names):
            detail = "This profile appears more than once in the job and was dropped."
            return "duplicate", "Duplicate profile in job.", detail
        self._seen.update(names)
        return None

    def _apply(self, workspace: Workspace, index: int, payload: ProfilePayload) -> Failure | None:
        try:
            profile = workspace.find(payload.identity)
        except Conflict:
            return "duplicate_profile", "Conflict.", DUPLICATE_DETAIL
        except UnknownId as error:
            return "not_found", "Not found.", f"A profile with id {error} does not exist."
        if profile is None:
            profile = workspace.create(payload.identity)
        payloads.apply(workspace, profile, payload, clears_nulls=False)
        self._written[index] = profile.n
        return None

    def _note(self, failures: list[tuple[int, Failure]]) -> None:
        self._failed += len(failures)
        errors = [
            (*failure, f"/data/attributes/profiles/data/{index}", self._rows[index].get("attributes"))
            for index, failure in failures
        ]
        jobs.add_errors(self._db, self._job_n, errors)
