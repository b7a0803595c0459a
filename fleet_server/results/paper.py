"""A unit's or place's results as a printable page: the figures of its page, on one sheet where they fit.

Open texts are not on it: paper and mail go further than a page behind a sign-in. It prints nothing itself.
"""

import re
from dataclasses import replace

from babel.dates import format_skeleton
from sqlmodel import Session

from fleet_server.accounts import county
from fleet_server.instants import local
from fleet_server.places.tree import trail
from fleet_server.results.items import Item
from fleet_server.results.spans import Period, Span
from fleet_server.results.subjects import Subject
from fleet_server.results.summary import Summary, summary
from fleet_server.web.charts import LINE_WIDTH, LineChart, Mark, Sample, line_chart
from fleet_server.web.i18n import LOCALES, language
from fleet_server.web.templating import date, number, templates
from fleet_server.web.units import unit_name

WIDTH = 440  # of a course in paper.html, beside its 60 for the figures of the axis
_POINT = re.compile(r"([\d.]+) ([\d.]+)")


def title_of(subject: Subject) -> str:
    """The name of a unit or place, in the language of the request (or mail)."""
    return subject.place.name if subject.place else unit_name(subject.unit)


def file_name(subject: Subject, found: Summary) -> str:
    """`hymio-unit-5-2026-03-01.pdf`: the last day that it is about. Names of places are no names for files."""
    return f"hymio-{subject.where.scope}-{subject.where.id}-{local(found.period.stop - 1):%Y-%m-%d}.pdf"


def paper(session: Session, subject: Subject, span: Span, *, now: int, found: Summary | None = None) -> str:
    """The page as HTML, to be printed with paper.css; `found`: its summary, when it was made already."""
    found = found or summary(session, subject, span, now=now, language=language())
    above = trail(session, subject.unit, language())
    return templates.get_template("results/paper.html").render(
        language=language(),
        title=title_of(subject),
        demo=subject.demo,
        trail=above if subject.place else above[:-1],
        above=unit_name(subject.above) if subject.above else "",
        lines=[(line, course(line.item, found.period)) for line in found.lines],
        since=found.period.starts[0],
        until=found.period.stop - 1,
        k=county.rules(session).least_respondents,
        printed_at=now,
    )


def course(item: Item, chosen: Period) -> LineChart | None:
    """The headline over time; None with fewer than two points."""
    points = [(point.start, point.headline) for point in item.course]
    if sum(headline is not None for _, headline in points) < 2:
        return None
    samples = [
        Sample(date(start), *((one.value, one.low, one.high) if one else (None, None, None)))
        for start, one in points
    ]
    skeleton = "MMM" if chosen.monthly else "Md"

    def mark(index: int, anchor: str) -> Mark:
        text = format_skeleton(skeleton, local(points[index][0]), locale=LOCALES[language()])
        return Mark(100 * (index + 0.5) / len(points), text, anchor)

    marks = [mark(0, "start"), mark(len(points) - 1, "end")]
    if item.series.type == "nps":
        return _narrow(line_chart(samples, marks, lambda value: number(round(value))))
    return _narrow(line_chart(samples, marks, lambda value: f"{number(round(100 * value))} %"))


def _narrow(chart: LineChart | None) -> LineChart | None:
    """The same in WIDTH units across: a browser stretches a line without its pen, a printer does not."""

    def across(path: str) -> str:
        return _POINT.sub(lambda at: f"{float(at[1]) * WIDTH / LINE_WIDTH:.1f} {at[2]}", path)

    if chart is None:
        return None
    return replace(chart, lines=tuple(map(across, chart.lines)), bands=tuple(map(across, chart.bands)))
