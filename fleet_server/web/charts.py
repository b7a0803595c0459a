"""Where the marks of a chart stand: numbers in, geometry out. It knows no page, no language and no database.

Charts are SVG made on the server, so they need no script and no licence of anybody's. Across, everything is
in percent of the width and the text keeps its size, so that one chart is legible on a phone and on a wall;
down, it is pixels. The macros in templates/charts/charts.html draw what is computed here, with the same
figures as a table.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

TOP_PX = 22  # room for the topmost tick's text
FOOT_PX = 26  # room for the texts below the axis
BAR_PLOT_PX = 150
LINE_PLOT_PX = 84
LINE_WIDTH = 1000  # the line's own coordinates across; stretched to the width of the page
BAR_SHARE = 0.74  # of its slot: the rest is the gap
GAP_STEPS = (
    2  # a line goes on over this many missing points, and breaks over more: silence is not a measurement
)


@dataclass(frozen=True)
class Tick:
    """A horizontal line with its text; `y` in pixels from the top."""

    y: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A text below the axis; `x` in percent from the left, `anchor` is SVG's text-anchor."""

    x: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class BarPoint:
    """One bucket: `name` for the table and the tool tip, `mark` a text below the axis or ''."""

    name: str
    counted: int
    filtered: int = 0
    mark: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar; `x`, `width` in percent, `y`, `height` in pixels. Filtered stands on top of counted."""

    point: BarPoint
    x: float
    width: float
    y: float
    height: float
    filtered_y: float
    filtered_height: float


@dataclass(frozen=True)
class BarChart:
    """Bars over time with their axis. `base` is the y of the axis, `height` of the whole picture."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    base: int
    height: int
    counted: int
    filtered: int


@dataclass(frozen=True)
class Piece:
    """One piece of a bar that lies: `kind` names its colour, `x` and `width` are in percent."""

    kind: str
    value: int
    x: float
    width: float


def lying_bars(*bars: Sequence[tuple[str, int]]) -> list[list[Piece]]:
    """Bars below each other on one scale, each of pieces (kind, value) from the left; empty pieces are left out."""
    longest = max((sum(max(value, 0) for _kind, value in bar) for bar in bars), default=0) or 1
    drawn = []
    for bar in bars:
        pieces: list[Piece] = []
        done = 0
        for kind, value in bar:
            if value > 0:
                x = round(100 * done / longest, 3)
                pieces.append(Piece(kind, value, x, round(100 * value / longest, 3)))
                done += value
        drawn.append(pieces)
    return drawn


@dataclass(frozen=True)
class Sample:
    """One step of a line: mean, least and greatest of what was measured in it; all None where nothing was."""

    name: str
    mean: float | None
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Limit:
    """Of one step: how far it may go by chance; `shape` marks a point that stands out, '' one that does not."""

    low: float | None = None
    high: float | None = None
    shape: str = ""


@dataclass(frozen=True)
class Marked:
    """A point that stands out: `x` in percent, `y` in pixels; `name` is the step's."""

    x: float
    y: float
    shape: str
    name: str


@dataclass(frozen=True)
class LineChart:
    """A line with the band between its extremes. `lines`, `bands`, `limits`: SVG path data, LINE_WIDTH by pixels.

    `centre`: y of the line from which limits are measured.
    """

    lines: tuple[str, ...]
    bands: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    top: int
    base: int
    height: int
    limits: tuple[str, ...] = ()
    centre: float | None = None
    marked: tuple[Marked, ...] = ()


def bar_chart(points: Sequence[BarPoint], number: Callable[[int], str] = str) -> BarChart:
    """Bars for buckets of equal length, oldest first. `number` writes a tick's figure."""
    base = TOP_PX + BAR_PLOT_PX
    top = round_up(max((point.counted + point.filtered for point in points), default=0))
    slot = 100 / max(1, len(points))
    scale = BAR_PLOT_PX / top
    bars = []
    for index, point in enumerate(points):
        height, filtered_height = point.counted * scale, point.filtered * scale
        bars.append(
            Bar(
                point=point,
                x=round(slot * (index + (1 - BAR_SHARE) / 2), 3),
                width=round(slot * BAR_SHARE, 3),
                y=round(base - height, 1),
                height=round(height, 1),
                filtered_y=round(base - height - filtered_height, 1),
                filtered_height=round(filtered_height, 1),
            )
        )
    halves = (top // 2, top) if top > 1 else (top,)
    return BarChart(
        bars=tuple(bars),
        ticks=tuple(Tick(round(base - value * scale, 1), number(value)) for value in halves),
        marks=tuple(
            Mark(round(slot * (index + 0.5), 3), point.mark)
            for index, point in enumerate(points)
            if point.mark
        ),
        base=base,
        height=base + FOOT_PX,
        counted=sum(point.counted for point in points),
        filtered=sum(point.filtered for point in points),
    )


def line_chart(
    samples: Sequence[Sample],
    marks: Sequence[Mark],
    figure: Callable[[float], str],
    *,
    floor: float | None = None,
    ceiling: float | None = None,
    centre: float | None = None,
    limits: Sequence[Limit] = (),
) -> LineChart | None:
    """A line through the means, with a band from least to most; None when nothing was measured at all.

    `floor` and `ceiling` fix an end of the scale (a share goes from 0 to 1); otherwise the figures set it.
    `limits`: one for each sample, around `centre`, or none at all.
    """
    lows = [sample.least if sample.least is not None else sample.mean for sample in samples]
    highs = [sample.most if sample.most is not None else sample.mean for sample in samples]
    known = [value for value in (*lows, *highs) if value is not None]
    if not known:
        return None
    known += [value for limit in limits for value in (limit.low, limit.high) if value is not None]
    bottom, top = _span(min(known) if floor is None else floor, max(known) if ceiling is None else ceiling)
    base = TOP_PX + LINE_PLOT_PX
    step = LINE_WIDTH / max(1, len(samples))

    def x(index: int) -> float:
        return round(step * (index + 0.5), 1)

    def y(value: float) -> float:
        return round(base - (min(max(value, bottom), top) - bottom) / (top - bottom) * LINE_PLOT_PX, 1)

    lines, bands, dots = [], [], []
    for stretch in _stretches([sample.mean for sample in samples]):
        if len(stretch) == 1:
            only = stretch[0]
            dots.append((round(x(only) / LINE_WIDTH * 100, 2), y(samples[only].mean or 0.0)))
            continue
        lines.append("M" + " L".join(f"{x(i)} {y(samples[i].mean or 0.0)}" for i in stretch))
        upper = [f"{x(i)} {y(_or(highs[i]))}" for i in stretch]
        lower = [f"{x(i)} {y(_or(lows[i]))}" for i in reversed(stretch)]
        bands.append("M" + " L".join(upper + lower) + " Z")
    return LineChart(
        lines=tuple(lines),
        bands=tuple(bands),
        dots=tuple(dots),
        ticks=(Tick(float(base), figure(bottom)), Tick(float(TOP_PX), figure(top))),
        marks=tuple(marks),
        top=TOP_PX,
        base=base,
        height=base + FOOT_PX,
        limits=tuple(_steps([end(limit) for limit in limits], step, y) for end in (_LOW, _HIGH) if limits),
        centre=None if centre is None else y(centre),
        marked=tuple(
            Marked(round(x(i) / LINE_WIDTH * 100, 2), y(samples[i].mean or 0.0), limit.shape, samples[i].name)
            for i, limit in enumerate(limits)
            if limit.shape and samples[i].mean is not None
        ),
    )


_LOW, _HIGH = attrgetter("low"), attrgetter("high")


def _steps(values: Sequence[float | None], step: float, y: Callable[[float], float]) -> str:
    """A level for each step that has one: limits hold for a period, they do not slope into the next."""
    return " ".join(
        f"M{round(step * i, 1)} {y(value)} H{round(step * (i + 1), 1)}"
        for i, value in enumerate(values)
        if value is not None
    )


def round_up(value: float) -> int:
    """The next of 1, 2, 4, 6, 8, 10, 20, 40 …: even (but 1), so that half of it is a whole figure."""
    if value <= 1:
        return 1
    power: int = 10 ** max(0, math.ceil(math.log10(value)) - 1)
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value and step * power > 1)


def _span(bottom: float, top: float) -> tuple[float, float]:
    """A scale that is never of zero height; a flat line stands in its middle."""
    if top - bottom < 1e-9:
        room = max(1.0, abs(top) * 0.1)
        return bottom - room, top + room
    return bottom, top


def _stretches(values: Sequence[float | None]) -> list[list[int]]:
    """Indexes of known values, cut where more than GAP_STEPS are missing between two."""
    stretches: list[list[int]] = []
    for index, value in enumerate(values):
        if value is None:
            continue
        if stretches and index - stretches[-1][-1] <= GAP_STEPS + 1:
            stretches[-1].append(index)
        else:
            stretches.append([index])
    return stretches


def _or(value: float | None) -> float:
    return 0.0 if value is None else value
