"""The charts of the overview: geometry, the sentence that says the same, and the numbers behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from integrations.models import Extension
from integrations.services import freshness, rate_use
from portal import charts, wording


@dataclass(frozen=True)
class HourlyChart:
    """`rows` are the numbers as a table: hour, then the columns named in `heads`."""

    title: str
    sentence: str
    chart: charts.LineChart | None
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def behind(extension: Extension, name: str) -> HourlyChart:
    """How long the oldest change waited in each hour of the last day, with the promise as a band."""
    hours = freshness.hours(extension)
    known = [hour.seconds for hour in hours if hour.seconds is not None]
    words = ["not measured" if hour.seconds is None else _waited(hour.seconds) for hour in hours]
    top = _top_seconds(max(known, default=0))
    chart = charts.line(
        [hour.seconds for hour in hours],
        [f"{_clock(hour.at)}: {text}" for hour, text in zip(hours, words, strict=True)],
        _names([hour.at for hour in hours]),
        [(0, "0"), (top / 2, _short(top / 2)), (top, _short(top))],
        band=freshness.PROMISE_SECONDS,
    )
    return HourlyChart(
        "How long changes wait",
        _behind_words(known, name),
        chart if known else None,
        ("Hour", "The oldest waited"),
        [(_clock(hour.at), text) for hour, text in zip(hours, words, strict=True)][::-1],
    )


def _behind_words(known: list[int], name: str) -> str:
    if not known:
        return "Measured once a minute while the connection is on; nothing was measured yet."
    worst = max(known)
    if worst <= freshness.PROMISE_SECONDS:
        return f"Every change of the last 24 hours was on its way to {name} within {freshness.PROMISE_SECONDS} seconds."
    return f"The longest that a change waited in the last 24 hours was {wording.duration(worst)}."


def rate(extension: Extension, name: str) -> HourlyChart:
    """The busiest minute of each hour, as a share of the calls that are ours to make."""
    hours = rate_use.hours(extension)
    chart = charts.line(
        [hour.used for hour in hours],
        [f"{_clock(hour.at)}: {_used(hour)}" for hour in hours],
        _names([hour.at for hour in hours]),
        [(0, "0 %"), (50, "50 %"), (100, "100 %")],
    )
    return HourlyChart(
        "How much of the permitted rate is used",
        _rate_words(hours, extension, name),
        chart if any(hour.calls for hour in hours) else None,
        ("Hour", "Busiest minute", "Calls"),
        [(_clock(hour.at), f"{hour.used} %", f"{hour.calls:,}") for hour in hours][::-1],
    )


def _rate_words(hours: list[rate_use.Hour], extension: Extension, name: str) -> str:
    calls, most = sum(hour.calls for hour in hours), max(hour.used for hour in hours)
    if not calls:
        return f"No call to {name} was measured in the last 24 hours; it is measured once a minute."
    asked = sum(hour.is_blocked for hour in hours)
    waits = f" {name} asked us to wait in {wording.counted(asked, 'hour')}." if asked else ""
    return (
        f"{wording.counted(calls, 'call')} in 24 hours; the busiest minute used {most} % of our part "
        f"({extension.throttle_share} % of what {name} permits).{waits}"
    )


def _used(hour: rate_use.Hour) -> str:
    return f"{hour.used} % in the busiest minute, {wording.counted(hour.calls, 'call')}"


def _waited(seconds: int) -> str:
    return "nothing waited" if not seconds else f"the oldest waited {wording.duration(seconds)}"


def _top_seconds(most: int) -> int:
    """A round span above the longest wait; never so small that the promise fills the chart."""
    for top in (12, 60, 600, 3600, 6 * 3600, 24 * 3600):
        if most <= top:
            return top
    return (most // 86_400 + 1) * 86_400


def _short(seconds: float) -> str:
    return wording.duration(round(seconds)) if seconds >= 10 else f"{round(seconds)} s"


def _clock(at: datetime) -> str:
    return timezone.localtime(at).strftime("%H:%M")


def _names(moments: list[datetime]) -> list[str]:
    """Every sixth hour by its clock, the last one excepted, which is now."""
    last = len(moments) - 1
    return ["now" if i == last else _clock(at) if (last - i) % 6 == 0 else "" for i, at in enumerate(moments)]
