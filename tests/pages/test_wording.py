from datetime import UTC, date, datetime, timedelta

import pytest

from portal import charts, wording
from portal.charts import Day, Part

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"), (48, "48 s ago"), (300, "5 min ago"), (7200, "2 h ago"), (100_000, "yesterday"),
        (5 * 86_400, "5 days ago"), (40 * 86_400, "11 Oct 2026"), (-120, "in 2 min"),
    ],
)  # fmt: skip
def test_ago(seconds, words):
    assert wording.ago(NOW - timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0.42, "0.4 s"),
        (48, "48 s"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_duration(seconds, words):
    assert wording.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(10, "less than a minute"), (60, "about 1 minute"), (250, "about 4 minutes"), (7200, "about 2 hours")],
)
def test_about(seconds, words):
    assert wording.about(seconds) == words


@pytest.mark.parametrize(
    ("found", "words"),
    [(None, "empty"), (True, "yes"), (12000, "12,000"), (["a", 1], "a, 1"), ("x", "x"), ([], "empty")],
)
def test_value(found, words):
    assert wording.value(found) == words


def test_listed():
    assert [wording.listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_one_row_among_a_million_can_be_seen():
    segments = charts.stacked(
        [Part("sent", "Arrived", 999_999, "good"), Part("rejected", "Refused", 1, "bad")]
    )
    assert segments[1].width > 5
    assert round(sum(segment.width for segment in segments)) == 1000


def test_nothing_is_no_bar():
    assert charts.stacked([Part("sent", "Arrived", 0, "good")]) == []
    assert charts.spark([0, 0]) is None


def test_the_axis_has_round_numbers():
    chart = charts.days([Day(date(2026, 11, day), day * 11, day % 2) for day in range(1, 15)])
    assert [tick.label for tick in chart.ticks] == ["0", "100", "200"]
    assert all(bar.good_y >= 0 and bar.bad_y >= 0 for bar in chart.bars)
