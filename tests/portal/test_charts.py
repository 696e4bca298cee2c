from portal import charts

TICKS = [(0, "0"), (50, "50"), (100, "100")]


def drawn(values, **options):
    return charts.line(values, [str(value) for value in values], [""] * len(values), TICKS, **options)


def test_the_top_tick_is_the_top_of_the_chart():
    chart = drawn([0, 100])
    assert chart.ticks[0].y == chart.floor
    assert chart.ticks[-1].y == 8
    assert chart.lines[0].split()[1].endswith(",8.0")


def test_what_is_above_the_top_stays_inside():
    assert drawn([100]).lines == drawn([900]).lines


def test_an_unknown_hour_is_a_gap_and_not_a_zero():
    chart = drawn([10, 20, None, 30, 40])
    assert len(chart.lines) == len(chart.areas) == 2


def test_a_lone_hour_is_a_short_stroke():
    assert len(drawn([None, 10, None]).lines[0].split()) == 2


def test_no_known_hour_draws_nothing():
    chart = drawn([None, None])
    assert chart.lines == [] and len(chart.points) == 2


def test_the_band_reaches_from_the_floor_to_its_value():
    chart = drawn([0], band=50)
    assert chart.band_y == chart.ticks[1].y
    assert chart.band_y + chart.band_height == chart.floor
