"""Is this portal fit to work? Each check returns None, or says in words what is wrong."""

import logging
from collections.abc import Callable

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from portal import secret_rows
from portal.runtime import queue
from portal.runtime.models import Worker
from portal.tenancy.secrets import UnreadableSecret

logger = logging.getLogger(__name__)

OLDEST_TASK_SECONDS = 300


def database() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return None


def migrations() -> str | None:
    waiting = _unapplied()
    return f"{waiting} migrations are not applied: run manage.py migrate." if waiting else None


def secrets() -> str | None:
    try:
        secret_rows.read_newest()
    except UnreadableSecret as error:
        return str(error)
    return None


def workers() -> str | None:
    if Worker.objects.supervisors().alive().exists():
        return None
    return "No worker is alive: start manage.py worker."


def backlog() -> str | None:
    late = [
        lane for lane, found in queue.depth().items() if (found.oldest_seconds or 0) > OLDEST_TASK_SECONDS
    ]
    return (
        f"Work has waited for more than {OLDEST_TASK_SECONDS // 60} minutes in: {', '.join(late)}."
        if late
        else None
    )


CHECKS: dict[str, Callable[[], str | None]] = {
    "database": database,
    "migrations": migrations,
    "secrets": secrets,
    "workers": workers,
    "queue": backlog,
}


# Without these nothing can be taken in. The rest is told: what comes in is kept until a worker is there.
NEEDED = ("database", "migrations", "secrets")


def is_ready(found: dict[str, str | None]) -> bool:
    return not any(found.get(name) for name in NEEDED)


def report() -> dict[str, str | None]:
    """Run the checks in order; one that cannot be run stops those that build on it."""
    found: dict[str, str | None] = {}
    for name, check in CHECKS.items():
        try:
            found[name] = check()
        except (
            Exception
        ) as error:  # whatever is wrong is the answer; its text may hold an address, so no more
            found[name] = f"The check failed ({type(error).__name__}); see the log of the web process."
        if found[name] and name in ("database", "migrations"):
            break
    return found


_is_migrated = False  # once true it stays so: a process keeps its code


def _unapplied() -> int:
    """Count migrations that wait to be applied."""
    global _is_migrated
    if _is_migrated:
        return 0
    executor = MigrationExecutor(connection)
    count = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _is_migrated = count == 0
    return count
