"""The course of a question as a page draws it: line, interval, control limits, and in words what stands out."""

from dataclasses import dataclass

from babel.dates import format_skeleton

from fleet_server.instants import local
from fleet_server.results.control import RUN, Control, Verdict, control
from fleet_server.results.items import Item
from fleet_server.results.spans import Period
from fleet_server.web.charts import Limit, LineChart, Mark, Sample, line_chart
from fleet_server.web.i18n import LOCALES, _, language
from fleet_server.web.templating import date, points, sign


@dataclass(frozen=True)
class Course:
    """The drawing, and for each period what its table says: limits ('' without any) and what stands out."""

    chart: LineChart
    control: Control | None
    limits: tuple[str, ...]
    words: tuple[str, ...]


def course(item: Item, chosen: Period) -> Course | None:
    """None with fewer than two periods that have answers: nothing has a course yet."""
    points = item.course
    if sum(point.headline is not None for point in points) < 2:
        return None
    found = control(item)
    verdicts = found.verdicts if found else (Verdict(),) * len(points)
    words = tuple(_words(verdict) for verdict in verdicts)
    samples = [
        Sample(
            f"{date(point.start)}{': ' if said else ''}{said}",
            *((point.headline.value, point.headline.low, point.headline.high) if point.headline else (None,)),
        )
        for point, said in zip(points, words, strict=True)
    ]
    step = 100 / len(samples)
    skeleton = "MMM" if chosen.monthly else "Md"
    marks = [
        Mark(step * (index + 0.5), format_skeleton(skeleton, local(point.start), locale=LOCALES[language()]))
        for index, point in enumerate(points)
        if index % (1 if len(samples) <= 6 else 3) == 0
    ]
    chart = line_chart(
        samples,
        marks,
        lambda value: figure(item, value),
        centre=found.centre if found else None,
        limits=[_limit(verdict) for verdict in verdicts] if found else (),
    )
    if chart is None:
        return None
    between = tuple(
        f"{figure(item, verdict.limits.low, ends=True)} … {figure(item, verdict.limits.high)}"
        if verdict.limits
        else ""
        for verdict in verdicts
    )
    return Course(chart, found, between, words)


def figure(item: Item, value: float, *, ends: bool = False) -> str:
    """A headline as text: NPS in points, everything else in percent (`ends`: without the sign)."""
    return points(value, item) + ("" if ends else sign(item))


def _words(verdict: Verdict) -> str:
    if verdict.beyond == "above":
        return _("above the limits")
    if verdict.beyond == "below":
        return _("below the limits")
    if verdict.run == "above":
        return _("in a row of %(number)s or more above the middle") % {"number": RUN}
    if verdict.run == "below":
        return _("in a row of %(number)s or more below the middle") % {"number": RUN}
    return ""


def _limit(verdict: Verdict) -> Limit:
    shape = "diamond" if verdict.beyond else "square" if verdict.run else ""
    low, high = verdict.limits or (None, None)
    return Limit(low, high, shape)
