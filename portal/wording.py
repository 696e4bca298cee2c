"""PURE: times, spans and values in words."""

from datetime import datetime
from typing import Any

MINUTE, HOUR, DAY = 60, 3600, 86_400


def ago(moment: datetime, now: datetime) -> str:
    """`moment` as seen from `now`: "just now", "5 min ago", "yesterday", "3 Nov 2026", "in 2 min"."""
    seconds = (now - moment).total_seconds()
    if seconds < -5:
        return f"in {duration(-seconds)}"
    if seconds < 10:
        return "just now"
    if seconds < MINUTE:
        return f"{int(seconds)} s ago"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min ago"
    if seconds < DAY:
        return f"{int(seconds // HOUR)} h ago"
    if seconds < 2 * DAY:
        return "yesterday"
    if seconds < 14 * DAY:
        return f"{int(seconds // DAY)} days ago"
    return f"{moment.day} {moment:%b %Y}"


def duration(seconds: float | None) -> str:
    """A span with at most two units: "0.4 s", "48 s", "3 min 20 s", "2 h 5 min"."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < MINUTE:
        return f"{round(seconds)} s"
    if seconds < HOUR:
        return _two(int(seconds), MINUTE, "min", 1, "s")
    if seconds < DAY:
        return _two(int(seconds), HOUR, "h", MINUTE, "min")
    return _two(int(seconds), DAY, "d", HOUR, "h")


def _two(seconds: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large} {large_name}" + (f" {rest} {small_name}" if rest else "")


def about(seconds: float) -> str:
    """A forecast, rounded as a person would: "less than a minute", "about 4 minutes", "about 2 hours"."""
    if seconds < 50:
        return "less than a minute"
    if seconds < 90 * MINUTE:
        minutes = max(1, round(seconds / MINUTE))
        return f"about {minutes} minute{'s' if minutes > 1 else ''}"
    hours = round(seconds / HOUR)
    return f"about {hours} hours"


def value(found: Any) -> str:
    if found is None or found == "":
        return "empty"
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, int | float):
        return f"{found:,}"
    if isinstance(found, list):
        return ", ".join(value(item) for item in found) or "empty"
    return str(found)


def listed(parts: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
