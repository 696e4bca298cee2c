"""PURE: a run in sentences, parts and progress, the same for merchant pages and the admin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.models import RunKind, RunStatus, SyncRun, Verdict
from integrations.models.runs import RunPhase
from portal import wording
from portal.charts import Part

PHASES = {
    RunPhase.PREPARE: "refreshing audiences and lists",
    RunPhase.PLAN: "working out what changed",
    RunPhase.SEND: "sending",
    RunPhase.EVENTS: "sending events",
    RunPhase.DONE: "done",
}
KINDS = {
    RunKind.FULL: "Everything",
    RunKind.CHANGES: "Changes",
    RunKind.AUDIENCES: "Audiences and lists",
    RunKind.EVENTS: "Events",
    RunKind.PULL: "Read back",
    RunKind.LIVE: "Live changes",
}
LOOKS = {
    Verdict.SENT: "good",
    Verdict.ACCEPTED: "busy",
    Verdict.REJECTED: "bad",
    Verdict.FAILED: "attention",
    Verdict.HELD: "held",
    Verdict.UNCHANGED: "quiet",
}


ONE_PERSON = "One person"  # a live run without an hour: somebody had one member sent again
ENOUGH = 50  # after a fiftieth of the way there is a rate worth telling


def kind(run: SyncRun) -> str:
    return ONE_PERSON if is_one_person(run) else KINDS[RunKind(run.kind)]


def is_one_person(run: SyncRun) -> bool:
    return run.kind == RunKind.LIVE and run.hour is None


def verdict_words(verdict: str, name: str) -> str:
    """The words of a verdict, with the destination's name where it decided."""
    return {
        Verdict.SENT: "Arrived",
        Verdict.ACCEPTED: f"Accepted, waiting for {name}",
        Verdict.REJECTED: f"Refused by {name}",
        Verdict.FAILED: "Our side failed",
        Verdict.HELD: "Held back",
        Verdict.UNCHANGED: "Already up to date",
    }.get(Verdict(verdict), verdict)


def parts(run: SyncRun, name: str) -> list[Part]:
    """What became of what the run touched. What was up to date already is not part of the bar."""
    shown = (Verdict.SENT, Verdict.ACCEPTED, Verdict.REJECTED, Verdict.FAILED, Verdict.HELD)
    return [
        Part(verdict.value, verdict_words(verdict, name), getattr(run, verdict), LOOKS[verdict])
        for verdict in shown
    ]


def sentence(run: SyncRun, name: str) -> str:
    """What happened, in one sentence for the top of the page."""
    touched = run.sent + run.rejected + run.failed + run.held
    if run.status == RunStatus.QUEUED:
        return "Waiting for its turn."
    if run.is_open:
        return (
            f"{run.sent:,} of {max(run.planned, touched):,} have arrived so far."
            if run.planned
            else "Just begun."
        )
    if run.status == RunStatus.CANCELLED:
        return f"Cancelled after {wording.counted(run.sent, 'row')} had arrived."
    if not touched:
        return _nothing(run)
    troubles = _troubles(run, name)
    if not run.sent and not run.rejected and not run.failed and run.unchanged:
        return f"{run.unchanged:,} were up to date; {wording.listed(troubles)}."
    if not troubles:
        return "The one change arrived." if touched == 1 else f"All {touched:,} arrived."
    return f"{run.sent:,} of {touched:,} arrived; {wording.listed(troubles)}."


def _nothing(run: SyncRun) -> str:
    if run.status == RunStatus.FAILED:
        return "It ended before anything was sent."
    if run.unchanged:
        return f"Nothing to send: all {run.unchanged:,} were up to date."
    return "Nothing to send: everything was up to date."


def _troubles(run: SyncRun, name: str) -> list[str]:
    found = [
        (run.rejected, f"refused by {name}"),
        (run.failed, "failed on our side"),
        (run.held, "held back"),
    ]
    return [f"{count:,} {words}" for count, words in found if count]


@dataclass(frozen=True)
class Progress:
    """How far an open run is. `share` is None while the total is not known yet."""

    done: int
    total: int
    share: float | None
    per_second: float | None
    left: str
    doing: str


def progress(run: SyncRun, now: datetime) -> Progress:
    done = run.sent + run.rejected + run.failed + run.held
    total = max(run.planned, done)
    seconds = (now - run.started_at).total_seconds() if run.started_at else 0.0
    sent = done - run.held  # what is held costs no time
    rate = sent / seconds if sent and seconds > 0 else None
    is_planning = run.phase in (RunPhase.PREPARE, RunPhase.PLAN)
    share = None if is_planning or not total else round(done / total * 100, 1)
    can_tell = rate and share is not None and done < total and sent * ENOUGH >= total
    left = wording.about((total - done) / rate) if rate and can_tell else ""
    shown_rate = rate if rate and rate >= 1 else None
    return Progress(done, total, share, shown_rate, left, _doing(run))


def _doing(run: SyncRun) -> str:
    if run.status == RunStatus.QUEUED:
        return run.note or "Waits for its turn: a worker takes it up, one run of a connection at a time."
    if run.note:
        return run.note
    return f"Now {PHASES.get(RunPhase(run.phase), 'working')}."


def tab_title(run: SyncRun) -> str:
    """What the browser's tab says: the progress while it runs, then how it ended."""
    done = run.sent + run.rejected + run.failed + run.held
    if run.is_open:
        share = f"{done * 100 // run.planned} % · " if run.planned else ""
        return f"{share}Run #{run.pk}"
    return f"{run.get_status_display()} · Run #{run.pk}"


@dataclass(frozen=True)
class Change:
    property: str
    before: str
    after: str


def changes(found: Any) -> list[Change]:
    """What a row's `changes` say, in stable order, without the dot of properties; an unknown shape stays."""
    if not isinstance(found, Mapping):
        return []
    return [_change(str(name).removeprefix("."), pair) for name, pair in found.items()]


def _change(name: str, pair: Any) -> Change:
    if isinstance(pair, list | tuple) and len(pair) == 2:
        return Change(name, wording.value(pair[0]), wording.value(pair[1]))
    return Change(name, "", wording.value(pair))
