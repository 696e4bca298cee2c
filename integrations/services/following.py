"""Following runs until they have settled, or until they cannot go on without a person."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from integrations.errors import DestinationError
from integrations.models import Extension, Health, RunStatus, SyncRun
from integrations.services import connections, run_history, run_stories
from portal import wording
from portal.runtime.models import Worker

Say = Callable[[str], None]
LOOK_SECONDS = 0.5
QUIET_SECONDS = 30.0  # without progress for so long, somebody is missing


@dataclass
class Followed:
    """One run while it is followed; `stopped` says why waiting for it ended before its end."""

    run: SyncRun
    stopped: str = ""
    _seen: tuple[object, ...] = field(default=(), repr=False)

    @property
    def is_over(self) -> bool:
        return bool(self.stopped) or not self.run.is_open

    def look(self) -> bool:
        """Read the run again; return whether anything moved."""
        self.run = run_history.runs().get(pk=self.run.pk)
        extension = self.run.extension
        if self.run.is_open and not extension.is_active:
            self.stopped = (
                f"The connection {extension.name} was switched off. The run goes on when it is on again."
            )
        elif self.run.is_open and extension.health == Health.ATTENTION:
            self.stopped = f"{extension.name} needs attention: {extension.health_reason}"
        now = (
            self.run.status,
            self.run.phase,
            self.run.progress_at,
            *self.run.counts.values(),
            self.run.calls,
        )
        moved, self._seen = now != self._seen, now
        return moved

    def words(self) -> str:
        progress = run_stories.progress(self.run, timezone.now())
        parts = [f"run #{self.run.pk}"]
        if progress.share is not None:
            parts.append(f"{progress.share:.0f} %")
        if progress.total:
            parts.append(f"{progress.done:,} of {progress.total:,}")
        parts.append(progress.doing)
        if progress.left:
            parts.append(f"{progress.left} left")
        return " · ".join(parts)


def follow(runs: Sequence[SyncRun], *, say: Say, timeout: float | None = None) -> list[Followed]:
    """Wait until every run is over; `say` is told each change of what can be seen, and when nobody works.

    `timeout` in seconds, None for as long as it takes.
    """
    followed = [Followed(run) for run in runs]
    began = quiet_since = time.monotonic()
    told: dict[int, str] = {}
    while True:
        for one in followed:
            if not one.is_over and one.look():
                quiet_since = time.monotonic()
            _tell(one, told, say)
        if all(one.is_over for one in followed):
            return followed
        now = time.monotonic()
        if now - quiet_since >= QUIET_SECONDS:
            quiet_since = now
            _tell_quiet(say)
        if timeout is not None and now - began >= timeout:
            _give_up(followed, timeout, say)
            return followed
        time.sleep(LOOK_SECONDS)


def objection(run: SyncRun) -> str:
    """Why a run that succeeded without any call proves nothing; empty where the connection works."""
    if run.status != RunStatus.SUCCEEDED or run.calls:
        return ""
    extension = Extension.objects.select_related("tenant").get(pk=run.extension_id)
    if extension.health == Health.OK:
        return ""
    name = run_history.destination_name(extension)
    try:
        connections.check(extension)
    except DestinationError as error:
        return f"{name} could not be reached, so nothing is proven: run #{run.pk} had nothing to send. {error.words}"
    return "" if extension.health == Health.OK else f"{extension.name}: {extension.health_reason}"


def _tell(one: Followed, told: dict[int, str], say: Say) -> None:
    words = one.stopped or (one.words() if one.run.is_open else "")
    if words and told.get(one.run.pk) != words:
        told[one.run.pk] = words
        say(words)


def _tell_quiet(say: Say) -> None:
    """Only workers of the lanes take work; a supervisor or a command that beats does not."""
    if Worker.objects.alive().filter(role__in=("live", "bulk")).exists():
        say("nothing has moved for a while; workers are alive")
    else:
        say("no worker is alive: start one with “manage.py worker” (or “manage.py up”). Still waiting …")


def _give_up(followed: list[Followed], timeout: float, say: Say) -> None:
    for one in followed:
        if not one.is_over:
            one.stopped = (
                f"run #{one.run.pk} is not over after {wording.duration(timeout)}. It goes on without this."
            )
            say(one.stopped)
