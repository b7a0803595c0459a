"""A subject's questions over a time, beside the time before and the unit above: for a page, a mail and a PDF."""

from dataclasses import dataclass

from sqlmodel import Session

from fleet_server.results.items import Beside, Item, beside, items
from fleet_server.results.models import UNIT
from fleet_server.results.scores import Figures, Where, totals
from fleet_server.results.spans import Period, Span, before, period
from fleet_server.results.subjects import Subject


@dataclass(frozen=True)
class Line:
    """A question with its comparisons: the time before, and the unit above in the same time."""

    item: Item
    then: Beside | None
    around: Beside | None


@dataclass(frozen=True)
class Summary:
    """All questions but open texts, as they stand on the page."""

    subject: Subject
    period: Period
    lines: tuple[Line, ...]


def summary(
    session: Session, subject: Subject, span: Span, *, now: int, language: str, with_filtered: bool = False
) -> Summary:
    """The subject's summary; questions in this language, or the first that they have."""
    chosen, earlier = period(span, now), before(span, period(span, now))

    def figures(where: Where, time: Period) -> dict[int, Figures]:
        return totals(session, where, time.starts[0], time.stop, with_filtered=with_filtered)

    then = figures(subject.where, earlier)
    around = figures(Where(UNIT, subject.above.id or 0), chosen) if subject.above else {}
    found = items(
        session,
        subject.where,
        chosen.starts,
        chosen.begins,
        stop=chosen.stop,
        language=language,
        with_filtered=with_filtered,
    )
    lines = [
        Line(item, beside(item, then), beside(item, around)) for item in found if item.series.type != "text"
    ]
    return Summary(subject, chosen, tuple(lines))
