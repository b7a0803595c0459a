"""Results as rows for a file or a program: a question, a period and a source (device or channel), with its figures.

It writes no file. Invariant: what is not released has no figures, never zeros; nothing is said of how much of it there
is, since the number of answers to a follow-up question tells of the answers to the one before.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.devices.models import QR, Device
from fleet_server.questions.reading import labels_of, languages_of, text_in
from fleet_server.results.intervals import Estimate
from fleet_server.results.items import headline, mean, steps
from fleet_server.results.models import PLACE, Series
from fleet_server.results.pieces import Piece
from fleet_server.results.scores import NONE, Figures, Where, by_source

RELEASED, WITHHELD = "released", "withheld"
# What a headline is and how its interval is made, for programs.
MEASURES = {
    "nps": ("nps", "multinomial"),
    "agree5": ("share of 4 and 5", "wilson"),
    "smiley5": ("share of 4 and 5", "wilson"),
    "smiley4": ("share of 3 and 4", "wilson"),
    "pei": ("share of 1 and 2", "wilson"),
}


@dataclass(frozen=True)
class Source:
    """Where answers came from: a device of a place, or a channel of a unit. `name`, `model`: of a device, else ""."""

    channel: str
    device_id: str = ""
    name: str = ""
    model: str = ""


@dataclass(frozen=True)
class Question:
    """A series as a reader is told of it: `text` in their language or the first that it has, `texts` in each.

    `labels`: {value (of a choice: option): what visitors read}.
    """

    series: Series
    text: str
    texts: dict[str, str]
    labels: dict[int, str]

    @property
    def values(self) -> tuple[int, ...]:
        """The values that can be chosen, from the lowest; none of a text."""
        return values_of(self.series)


@dataclass(frozen=True)
class Row:
    """A question in a period from one source; `source` None: from all together. `figures` None: withheld."""

    question: Question
    piece: Piece
    source: Source | None
    figures: Figures | None

    @property
    def status(self) -> str:
        """RELEASED or WITHHELD."""
        return WITHHELD if self.figures is None else RELEASED

    @property
    def headline(self) -> Estimate | None:
        """NPS -100 to 100, else a share 0 to 1, with its interval."""
        return headline(self.question.series.type, self.figures) if self.figures else None

    @property
    def mean(self) -> Estimate | None:
        """Of a scale with a middle."""
        return mean(self.question.series.type, self.figures) if self.figures else None

    def count(self, value: int) -> int | None:
        """How many chose this value; None: withheld, or not one of this question."""
        return self.figures.values[value] if self.figures and value in self.question.values else None

    def share(self, value: int) -> float | None:
        """The same of those who said something, 0 to 1."""
        count = self.count(value)
        return (
            None if count is None or not self.figures or not self.figures.said else count / self.figures.said
        )


def rows(
    session: Session,
    where: Where,
    pieces: Sequence[Piece],
    language: str,
    *,
    with_filtered: bool = False,
    with_all: bool = False,
) -> list[Row]:
    """Each question and source that has something released in the whole time, in every piece of it.

    Ordered by question (NPS first, then by code), period and source. `with_all`: before the sources of a question and
    period, all of them together.
    """
    found = [by_source(session, where, one.start, one.stop, with_filtered=with_filtered) for one in pieces]
    keys = sorted({key for figures in found for key in figures})
    asked = questions(session, {series for series, _ in keys}, language)
    known = _sources(session, where, {source for _, source in keys})
    made: list[Row] = []
    for question in asked:
        own = [source for series, source in keys if series == question.series.id]
        for piece, figures in zip(pieces, found, strict=True):
            parts = [(known[one], figures.get((question.series.id or 0, one))) for one in own]
            if with_all:
                made.append(Row(question, piece, None, _together(part for _, part in parts)))
            made += [Row(question, piece, source, part) for source, part in parts]
    return made


def questions(session: Session, series: Iterable[int], language: str) -> list[Question]:
    """These series, NPS first, then by code, newer wordings first."""
    found = session.exec(select(Series).where(col(Series.id).in_(set(series)))).all()
    ordered = sorted(found, key=lambda one: (one.type != "nps", one.code, -(one.id or 0)))
    return [_question(one, language) for one in ordered]


def values_of(series: Series) -> tuple[int, ...]:
    """The values that can be chosen in a series, from the lowest; of a choice its options."""
    if series.type == "nps":
        return tuple(range(11))
    if series.type == "choice":
        body: dict[str, Any] = json.loads(series.body)
        return tuple(range(max((len(labels_of(body, one)) for one in languages_of(body)), default=0)))
    return tuple(sorted(steps(series.type)))


def _question(series: Series, language: str) -> Question:
    body: dict[str, Any] = json.loads(series.body)
    shown = next((one for one in (language, *languages_of(body)) if text_in(body, one)), language)
    labels = labels_of(body, shown)
    values = steps(series.type) or values_of(series)
    named = {} if series.type == "nps" else dict(zip(values, labels, strict=False))
    texts = {one: text for one in languages_of(body) if (text := text_in(body, one))}
    return Question(series, text_in(body, shown) or series.code, texts, named)


def _together(parts: Iterable[Figures | None]) -> Figures | None:
    whole = NONE
    for part in parts:
        whole = whole.plus(part) if part else whole
    return whole if whole.answers else None


def _sources(session: Session, where: Where, ids: set[str]) -> dict[str, Source]:
    if where.scope != PLACE:
        return {one: Source(one) for one in ids}
    devices = session.exec(select(Device).where(col(Device.id).in_(ids))).all()
    return {
        one.id: Source(one.channel, one.id, one.name, "" if one.channel == QR else one.model)
        for one in devices
    }
