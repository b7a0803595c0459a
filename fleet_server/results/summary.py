"""A subject's questions over a time, beside the time before and the unit above: for a page, a mail and a PDF."""

from dataclasses import dataclass

from sqlmodel import Session

from fleet_server.results.items import Beside, Item, beside, items
from fleet_server.results.models import UNIT
from fleet_server.results.scores import Where
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
    chosen = period(span, now)

    def of(where: Where, time: Period, *, apart: bool = False) -> list[Item]:
        begins = time.begins if apart else time.whole
        starts = time.starts if apart else time.starts[:1]
        return items(
            session, where, starts, begins, stop=time.stop, language=language, with_filtered=with_filtered
        )

    then = of(subject.where, before(span, chosen))
    around = of(Where(UNIT, subject.above.id or 0), chosen) if subject.above else []
    lines = [
        Line(item, beside(item, then), beside(item, around))
        for item in of(subject.where, chosen, apart=True)
        if item.series.type != "text"
    ]
    return Summary(subject, chosen, tuple(lines))
