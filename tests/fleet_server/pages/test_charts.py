"""Charts are right: the geometry says what the figures say."""

import pytest

from fleet_server.web.charts import (
    BAR_PLOT_PX,
    LINE_PLOT_PX,
    TOP_PX,
    BarPoint,
    Mark,
    Sample,
    bar_chart,
    line_chart,
    round_up,
)


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (7, 8), (9, 10), (10, 10), (11, 20), (101, 200), (950, 1000)],
)
def test_a_scale_ends_at_a_round_figure_that_can_be_halved(value: int, top: int) -> None:
    assert round_up(value) == top
    assert top == 1 or top % 2 == 0


def test_the_highest_bar_is_as_high_as_its_share_of_the_scale_and_stands_on_the_axis() -> None:
    chart = bar_chart([BarPoint("a", 5), BarPoint("b", 10), BarPoint("c", 0)])
    low, high, none = chart.bars
    assert (high.y, high.height) == (TOP_PX, BAR_PLOT_PX)
    assert low.height == BAR_PLOT_PX / 2
    assert low.y + low.height == chart.base
    assert none.height == 0
    assert [tick.text for tick in chart.ticks] == ["5", "10"]


def test_filtered_presses_stand_on_top_of_the_counted_ones() -> None:
    (bar,) = bar_chart([BarPoint("a", 3, 1)]).bars
    assert bar.filtered_y + bar.filtered_height == pytest.approx(bar.y)
    assert bar.filtered_y == TOP_PX  # 3 + 1 = the scale's 4


def test_bars_fill_the_width_without_touching_however_many_there_are() -> None:
    for count in (1, 24, 168):
        bars = bar_chart([BarPoint(str(i), 1) for i in range(count)]).bars
        assert bars[0].x > 0
        assert bars[-1].x + bars[-1].width < 100
        assert all(left.x + left.width < right.x for left, right in zip(bars, bars[1:], strict=False))


def test_a_chart_without_a_press_is_still_a_chart() -> None:
    chart = bar_chart([BarPoint("a", 0)])
    assert chart.counted == 0
    assert [tick.text for tick in chart.ticks] == ["1"]
    assert bar_chart([]).bars == ()


def test_a_line_breaks_where_the_kiosk_was_silent() -> None:
    values: list[float | None] = [1.0, 2.0, None, 3.0, None, None, None, 4.0, 5.0]
    chart = line_chart([Sample(str(i), value) for i, value in enumerate(values)], [], str)
    assert chart is not None
    assert len(chart.lines) == 2, "one missing step is bridged, three are not"
    assert chart.lines[0].count("L") == 2


def test_a_lone_measurement_is_a_dot() -> None:
    chart = line_chart([Sample("a", None), Sample("b", 7.0)], [], str)
    assert chart is not None
    assert chart.lines == ()
    assert chart.dots == ((75.0, TOP_PX + LINE_PLOT_PX / 2),)


def test_nothing_measured_is_no_chart() -> None:
    assert line_chart([Sample("a", None)], [Mark(0, "x")], str) is None


def test_a_fixed_scale_holds_what_lies_outside_at_its_edge() -> None:
    chart = line_chart([Sample("a", 0.0), Sample("b", 2.0)], [], str, floor=0.0, ceiling=1.0)
    assert chart is not None
    assert [tick.text for tick in chart.ticks] == ["0.0", "1.0"]
    assert chart.lines == (f"M250.0 {float(chart.base)} L750.0 {float(TOP_PX)}",)


def test_the_band_goes_from_least_to_most() -> None:
    chart = line_chart([Sample("a", 5, 0, 10), Sample("b", 5, 5, 5)], [], str)
    assert chart is not None
    assert chart.bands == (f"M250.0 {float(TOP_PX)} L750.0 64.0 L750.0 64.0 L250.0 {float(chart.base)} Z",)
