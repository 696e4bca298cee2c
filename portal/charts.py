"""PURE: the geometry of charts; templates only write it down as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Part:
    """One part of a whole: how many, of which look (good, bad, held …), and its words."""

    key: str
    label: str
    count: int
    look: str


@dataclass(frozen=True)
class Segment:
    part: Part
    x: float
    width: float


def stacked(parts: Sequence[Part], *, width: float = 1000, least: float = 6) -> list[Segment]:
    """Lay the parts side by side over `width`; one that counts at all is at least `least` wide."""
    present = [part for part in parts if part.count]
    total = sum(part.count for part in present)
    raw = [max(least, part.count / total * width) for part in present]
    scale = width / sum(raw) if raw else 1
    segments, x = [], 0.0
    for part, size in zip(present, raw, strict=True):
        segments.append(Segment(part, round(x, 2), round(size * scale, 2)))
        x += size * scale
    return segments


@dataclass(frozen=True)
class Spark:
    line: str
    area: str


def spark(values: Sequence[float], *, width: float = 84, height: float = 26) -> Spark | None:
    """A line without axes; None when there is nothing to compare."""
    if len(values) < 2 or not any(values):
        return None
    top = max(values)
    step = width / (len(values) - 1)
    points = [
        f"{i * step:.1f},{height - 2 - value / top * (height - 4):.1f}" for i, value in enumerate(values)
    ]
    line = " ".join(points)
    return Spark(line, f"0,{height} {line} {width},{height}")


@dataclass(frozen=True)
class Day:
    on: date
    good: int
    bad: int

    @property
    def total(self) -> int:
        return self.good + self.bad


@dataclass(frozen=True)
class Bar:
    day: Day
    x: float
    width: float
    good_y: float
    good_height: float
    bad_y: float
    bad_height: float
    label: str


@dataclass(frozen=True)
class Tick:
    y: float
    label: str


@dataclass(frozen=True)
class DayChart:
    bars: list[Bar]
    ticks: list[Tick]
    width: int
    height: int
    left: int
    floor: float
    label_y: float


def days(found: Sequence[Day], *, width: int = 440, height: int = 190) -> DayChart:
    """Stacked bars per day with round numbers at the side and some dates below."""
    left, label_room, head = 48, 22, 8
    floor = height - label_room
    top = _round_up(max([day.total for day in found] + [1]))
    unit = (floor - head) / top
    slot = (width - left) / max(1, len(found))
    every = max(1, -(-len(found) // 7))
    bars = []
    for index, day in enumerate(found):
        good, bad = day.good * unit, day.bad * unit
        if day.bad:
            bad = max(2.0, bad)
        label = f"{day.on.day} {day.on:%b}" if (len(found) - 1 - index) % every == 0 else ""
        x = left + index * slot + slot * 0.15
        bars.append(
            Bar(
                day=day,
                x=round(x, 1),
                width=round(slot * 0.7, 1),
                good_y=round(floor - good, 1),
                good_height=round(good, 1),
                bad_y=round(floor - good - bad, 1),
                bad_height=round(bad, 1),
                label=label,
            )
        )
    ticks = [Tick(round(floor - share * top * unit, 1), f"{round(share * top):,}") for share in (0, 0.5, 1)]
    return DayChart(bars, ticks, width, height, left, floor, height - 5)


@dataclass(frozen=True)
class Point:
    """One hour of a line: where it is, how wide its part of the chart, and what it says on hover."""

    x: float
    left: float
    words: str


@dataclass(frozen=True)
class LineChart:
    """A line (several where hours are unknown), the area below it, and a band from the floor to `band_y`."""

    lines: list[str]
    areas: list[str]
    points: list[Point]
    slot: float
    ticks: list[Tick]
    names: list[tuple[float, str]]
    band_y: float | None
    band_height: float
    plot: int
    width: int
    height: int
    left: int
    floor: float
    label_y: float


def line(
    values: Sequence[float | None],
    words: Sequence[str],
    names: Sequence[str],
    ticks: Sequence[tuple[float, str]],
    *,
    band: float | None = None,
    width: int = 440,
    height: int = 150,
) -> LineChart:
    """Values side by side; None leaves a gap. `ticks` are (value, words), the last the top of the chart.

    `words` say each value on hover, `names` stand below it (empty ones are left out).
    """
    left, floor, head = 64, height - 22, 8
    unit = (floor - head) / (ticks[-1][0] or 1)
    slot = (width - left) / max(1, len(values))
    xs = [round(left + (index + 0.5) * slot, 1) for index in range(len(values))]

    def y(value: float) -> float:
        return round(floor - min(value, ticks[-1][0]) * unit, 1)

    stretches = _stretches(
        [None if value is None else (x, y(value)) for x, value in zip(xs, values, strict=True)]
    )
    return LineChart(
        lines=[" ".join(f"{px},{py}" for px, py in stretch) for stretch in stretches],
        areas=[_area(stretch, floor) for stretch in stretches],
        points=[Point(x, round(x - slot / 2, 1), text) for x, text in zip(xs, words, strict=True)],
        slot=round(slot, 1),
        ticks=[Tick(y(value), text) for value, text in ticks],
        names=[(x, name) for x, name in zip(xs, names, strict=True) if name],
        band_y=None if band is None else y(band),
        band_height=0 if band is None else round(floor - y(band), 1),
        plot=width - left,
        width=width,
        height=height,
        left=left,
        floor=floor,
        label_y=height - 5,
    )


def _stretches(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """What hangs together between gaps; a point that stands alone is drawn as a short stroke."""
    found: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            found.append([])
        else:
            found[-1].append(point)
    return [part if len(part) > 1 else [(part[0][0] - 3, part[0][1]), (part[0][0] + 3, part[0][1])]
            for part in found if part]  # fmt: skip


def _area(stretch: Sequence[tuple[float, float]], floor: float) -> str:
    inner = " ".join(f"{x},{y}" for x, y in stretch)
    return f"{stretch[0][0]},{floor} {inner} {stretch[-1][0]},{floor}"


def _round_up(number: int) -> int:
    """The next even number of the form 2, 4, 6, 8, 10, 20, 40, 60 … so that its half is whole."""
    size = 1
    while number > 10 * size:
        size *= 10
    for step in (2, 4, 6, 8, 10):
        if number <= step * size:
            return step * size
    return 10 * size
