"""What a page says of each question: its figures, the headline with its interval, its parts and its course.

It makes sentences of no language and draws nothing. Invariant: answers to different wordings or scales stand apart,
each with why.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.questions.reading import labels_of, languages_of, text_in
from fleet_server.refusals import N_, Sentence
from fleet_server.results import intervals
from fleet_server.results.intervals import Estimate
from fleet_server.results.models import Series
from fleet_server.results.scores import NONE, Figures, Where, over_time
from fleet_server.results.series import why_apart

# Values from the best to the worst, and those that a headline counts.
_STEPS = {"agree5": (5, 4, 3, 2, 1), "smiley5": (5, 4, 3, 2, 1), "smiley4": (4, 3, 2, 1), "pei": (2, 1, 0)}
_GOOD = {"agree5": (5, 4), "smiley5": (5, 4), "smiley4": (4, 3), "pei": (2, 1)}
_MEANS = ("agree5", "smiley5", "smiley4")
CEILING = 0.9  # from this share of the best answer on there is no room left above
_NPS_GROUPS = (
    (N_("Promoters (9–10)"), range(9, 11)),
    (N_("Passives (7–8)"), range(7, 9)),
    (N_("Detractors (0–6)"), range(7)),
)
HEADLINES = {
    "nps": N_("Net promoter score"),
    "agree5": N_("Positive (4 and 5)"),
    "smiley5": N_("Positive (4 and 5)"),
    "smiley4": N_("Positive (3 and 4)"),
    "pei": N_("Able to cope better"),
}


@dataclass(frozen=True)
class Part:
    """One answer that could be given, or a group of them. `share` of those who said something, 0 to 1.

    `label`: as visitors read it; `name`: ours, to be translated; one of both is empty. `tone`: which colour.
    """

    label: str
    name: str
    tone: str
    count: int
    share: float


@dataclass(frozen=True)
class Point:
    """A period: the Finnish midnight at which it begins, its figures and its headline; None without answers."""

    start: int
    figures: Figures
    headline: Estimate | None


@dataclass(frozen=True)
class Beside:
    """The same question elsewhere or before, in the same wording and scale. `beyond_chance`: the two differ."""

    estimate: Estimate
    beyond_chance: bool


@dataclass(frozen=True)
class Item:
    """A series on a page. `text`: the question in the reader's language, or the first that it has.

    `headline`: NPS -100 to 100, else a share 0 to 1; None for choices and texts. `apart`: why it is not joined with the
    series of the same code shown before it.
    """

    series: Series
    text: str
    figures: Figures
    headline: Estimate | None
    mean: Estimate | None
    parts: tuple[Part, ...]
    course: tuple[Point, ...]
    apart: tuple[Sentence, ...] = ()

    @property
    def figure(self) -> str:
        """What the headline is: a text to be translated."""
        return HEADLINES.get(self.series.type, "")

    @property
    def ceiling(self) -> bool:
        """Whether nearly all chose the best answer: then a mean says less than that share."""
        return at_ceiling(self.series.type, self.figures)


def items(
    session: Session,
    where: Where,
    periods: list[int],
    begins: Callable[[int], int],
    *,
    stop: int,
    language: str,
    with_filtered: bool = False,
) -> list[Item]:
    """Every question that has released answers in [periods[0], stop): NPS first, then by code, newer wordings first.

    `periods`: starts of all periods, Finnish midnights; `begins`: a midnight's period.
    """
    found = over_time(session, where, periods[0], stop, begins, with_filtered=with_filtered)
    rows = session.exec(select(Series).where(col(Series.id).in_(found))).all()
    newest = sorted(rows, key=lambda series: -(series.id or 0))
    made: list[Item] = []
    for series in sorted(newest, key=lambda series: (series.type != "nps", series.code)):
        course = found[series.id or 0]
        before = made[-1].series if made and made[-1].series.code == series.code else None
        made.append(
            _item(
                series,
                [(start, course.get(start, NONE)) for start in periods],
                language,
                tuple(why_apart(session, series, before)) if before else (),
            )
        )
    return made


def _item(
    series: Series, course: list[tuple[int, Figures]], language: str, apart: tuple[Sentence, ...]
) -> Item:
    question = _question(series.body)
    shown = _shown(question, language)
    whole = NONE
    for _, figures in course:
        whole = whole.plus(figures)
    return Item(
        series=series,
        text=text_in(question, shown) or series.code,
        figures=whole,
        headline=headline(series.type, whole),
        mean=mean(series.type, whole),
        parts=tuple(_parts(series, labels_of(question, shown), whole)),
        course=tuple(Point(start, figures, headline(series.type, figures)) for start, figures in course),
        apart=apart,
    )


@lru_cache(maxsize=512)
def _question(body: str) -> dict[str, Any]:
    """That of a series, to be read only."""
    question: dict[str, Any] = json.loads(body)
    return question


def _shown(question: dict[str, Any], language: str) -> str:
    return next((one for one in (language, *languages_of(question)) if text_in(question, one)), language)


def text_of(series: Series, language: str) -> str:
    """The question in this language, or the first that it has; else its code."""
    question = _question(series.body)
    return text_in(question, _shown(question, language)) or series.code


def beside(item: Item, others: dict[int, Figures]) -> Beside | None:
    """The headline of the same series among `others`; answers to another wording are no comparison."""
    figures = others.get(item.series.id or 0)
    other = headline(item.series.type, figures) if figures else None
    return Beside(other, intervals.apart(item.headline, other)) if item.headline and other else None


def headline(kind: str, figures: Figures) -> Estimate | None:
    """The one figure of a type of question, with its interval; None without answers, and for choices and texts."""
    if kind == "nps":
        return intervals.nps(figures.counts(range(11)))
    if kind in _GOOD:
        good = sum(figures.values[value] for value in _GOOD[kind])
        return intervals.share(good, sum(figures.counts(_STEPS[kind]).values()))
    return None


def mean(kind: str, figures: Figures) -> Estimate | None:
    """The mean of a scale with a middle; None of other types, and without answers."""
    return intervals.mean(figures.counts(_STEPS[kind])) if kind in _MEANS else None


def steps(kind: str) -> tuple[int, ...]:
    """The values of a scale from the best to the worst, in which order it has its labels; none of other types."""
    return _STEPS.get(kind, ())


def at_ceiling(kind: str, figures: Figures) -> bool:
    """Whether nearly all of those who said something chose the best of a scale's steps."""
    top = best(kind, figures)
    return top is not None and top.value >= CEILING


def best(kind: str, figures: Figures) -> Estimate | None:
    """The share of the best step of a scale; None without answers and for questions without steps."""
    if kind not in _MEANS:
        return None
    return intervals.share(figures.values[_STEPS[kind][0]], sum(figures.counts(_STEPS[kind]).values()))


def _parts(series: Series, labels: list[str], figures: Figures) -> Iterable[Part]:
    def part(label: str, name: str, tone: str, values: Iterable[int]) -> Part:
        count = sum(figures.values[value] for value in values)
        return Part(label, name, tone, count, count / figures.said if figures.said else 0.0)

    if series.type == "nps":
        for tone, (name, values) in zip(("best", "middle", "worst"), _NPS_GROUPS, strict=True):
            yield part("", name, tone, values)
    elif series.type in _STEPS:
        steps = _STEPS[series.type]
        tones = {5: ("best", "good", "middle", "poor", "worst"), 4: ("best", "good", "poor", "worst")}
        for index, value in enumerate(steps):
            label = labels[index] if index < len(labels) else str(value)
            yield part(label, "", tones.get(len(steps), ("best", "good", "worst"))[index], [value])
    elif series.type == "choice":
        for option, label in enumerate(labels):
            yield part(label, "", "plain", [option])
