"""What a suppression job does once it runs."""

from __future__ import annotations

import json
import time

from integrations.klaviyo.sandbox.store import consent, jobs
from integrations.klaviyo.sandbox.store.accounts import Account
from integrations.klaviyo.sandbox.store.database import Database
from integrations.klaviyo.sandbox.store.workspace import Identity, Workspace

SUPPRESS = "profile-suppression-bulk-create-job"
LIFT = "profile-suppression-bulk-delete-job"


def run(db: Database, account: Account, job_n: int) -> None:
    """Suppress or un-suppress everybody the job names; un-suppressing lifts USER_SUPPRESSED only (help
    centre).
    """
    with db.transaction():
        row = db.row("SELECT kind, lists FROM jobs WHERE n = ?", (job_n,))
        emails = jobs.body_of(db, job_n)
        if row is None or emails is None:
            return
        now = int(time.time())
        numbers = _members(db, json.loads(row["lists"])) + _addressed(db, account, emails, row["kind"], now)
        for number in numbers:
            if row["kind"] == SUPPRESS:
                consent.suppress(db, account.a, number, "USER_SUPPRESSED", now)
            else:
                consent.lift(db, number, ("USER_SUPPRESSED",))
        jobs.progress(db, job_n, done=len(numbers), failed=0)
        jobs.finish(db, job_n, numbers, skipped=max(0, len(emails) - len(numbers)))


def _addressed(db: Database, account: Account, emails: list[str], kind: str, now: int) -> list[int]:
    workspace = Workspace(db, account.a, now)
    identities = [Identity(None, None, email, None) for email in emails]
    workspace.load(identities)
    found = []
    for identity in identities:
        profile = workspace.find(identity)
        if profile is None and kind == SUPPRESS:
            profile = workspace.create(identity)  # an unknown address becomes a suppressed profile
        if profile is not None:
            found.append(profile.n)
    workspace.save()
    return found


def _members(db: Database, list_numbers: list[int]) -> list[int]:
    sql = (
        "SELECT DISTINCT profile_n FROM list_members WHERE joined IS NOT NULL"
        " AND list_n IN (SELECT value FROM json_each(?))"
    )
    return [row["profile_n"] for row in db.rows(sql, (json.dumps(list_numbers),))]
