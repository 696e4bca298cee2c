"""The spans of time that date operators mean, by the tenant's calendar. SQL and Python both use these."""

from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty.rules import inputs


@dataclass(frozen=True)
class Calendar:
    """Today, where the tenant is."""

    today: date
    zone: ZoneInfo

    @staticmethod
    def at(now: datetime, zone: ZoneInfo) -> "Calendar":
        return Calendar(now.astimezone(zone).date(), zone)

    def midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Span:
    """From `start` (included) to `end` (excluded); None is without end. Bounds are whole seconds."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)


def moments(op: str, value: object, calendar: Calendar) -> Span:
    """The span that an operator means on a time."""
    first, last = (
        days(op, value, calendar) if not isinstance(value, str) or len(value) == 10 else (None, None)
    )
    if first or last:
        return Span(
            calendar.midnight(first) if first else None,
            calendar.midnight(last + timedelta(days=1)) if last else None,
        )
    moment = inputs.moment(value).replace(microsecond=0)
    return Span(end=moment) if op == "before" else Span(start=moment + timedelta(seconds=1))


def days(op: str, value: object, calendar: Calendar) -> tuple[date | None, date | None]:
    """The first and the last day that an operator means."""
    today = calendar.today
    if op == "within_last_days":
        return today - timedelta(days=int(str(value))), today
    if op == "within_next_days":
        return today, today + timedelta(days=int(str(value)))
    day = date.fromisoformat(str(value))
    return (None, day - timedelta(days=1)) if op == "before" else (day + timedelta(days=1), None)


def yearly(first: date, last: date) -> tuple[str, ...]:
    """The days from first to last as MM-DD. A birthday on 02-29 is kept on 02-28 in other years."""
    count = min((last - first).days, 366) + 1
    listed = {}
    for day in (first + timedelta(days=step) for step in range(count)):
        listed[f"{day:%m-%d}"] = True
        if (day.month, day.day) == (2, 28) and not isleap(day.year):
            listed["02-29"] = True
    return tuple(listed)
