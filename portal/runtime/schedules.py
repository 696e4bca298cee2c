"""Regular work: each app lists it in its `schedules.py`, and this makes the queue's rows say the same.

`SCHEDULES = [Every("prune-history", "integrations.tasks.prune_history", hours=24)]`; plain dicts
`{"name", "func", "minutes" | "hours" | "days"}` do as well. Nobody edits the rows by hand.
"""

import importlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import module_has_submodule
from django_q.models import Schedule

logger = logging.getLogger(__name__)

PREFIX = "portal: "  # ours; rows with other names are left alone
LANE = "bulk"  # the cluster that runs the scheduler
QUIET = "{'q_options': {'save': False}}"


@dataclass(frozen=True)
class Every:
    """A task of no arguments and how often it is queued."""

    name: str
    func: str
    minutes: int = 0
    hours: int = 0
    days: int = 0

    @property
    def total_minutes(self) -> int:
        return self.minutes + 60 * self.hours + 1440 * self.days

    def __post_init__(self) -> None:
        if not 0 < self.total_minutes < 32_768:
            raise ImproperlyConfigured(f"Schedule {self.name} must be between a minute and 22 days apart.")


def declared() -> Iterator[Every]:
    """Yield what the installed apps list."""
    for app in apps.get_app_configs():
        if app.module is None or not module_has_submodule(app.module, "schedules"):
            continue
        listed: list[Every | Mapping[str, Any]] = getattr(
            importlib.import_module(f"{app.name}.schedules"), "SCHEDULES", []
        )
        yield from (item if isinstance(item, Every) else Every(**item) for item in listed)


@transaction.atomic
def apply() -> tuple[int, int]:
    """Make the rows match; return how many there are and how many were removed. Safe at any time."""
    wanted = {PREFIX + item.name: item for item in declared()}
    removed, _ = Schedule.objects.filter(name__startswith=PREFIX).exclude(name__in=wanted).delete()
    present = {row.name: row for row in Schedule.objects.select_for_update().filter(name__in=wanted)}
    for name, item in wanted.items():
        shape = {
            "func": item.func, "schedule_type": Schedule.MINUTES, "minutes": item.total_minutes,
            "repeats": -1, "cluster": LANE, "args": None, "kwargs": QUIET, "hook": None,
        }  # fmt: skip
        row = present.get(name)
        if row is None:
            first = timezone.now() + timedelta(minutes=item.total_minutes)
            Schedule.objects.create(name=name, next_run=first, **shape)
        elif any(getattr(row, field) != value for field, value in shape.items()):
            Schedule.objects.filter(pk=row.pk).update(**shape)
    return len(wanted), removed


def after_migrate(using: str, verbosity: int = 1, **_: Any) -> None:
    """What `migrate` makes besides the apps' tables: the cache's table and the schedules."""
    call_command("createcachetable", database=using, verbosity=0)
    from django.db import connections

    if Schedule._meta.db_table in connections[using].introspection.table_names():
        apply()
