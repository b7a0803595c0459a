"""A subject's results and open texts as CSV; the same rows for the workbook. It decides nothing that may be shown.

Column names of CSV are the same in each language: programs read them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from fleet_server.accounts import county
from fleet_server.results import texts
from fleet_server.results.csv_file import written
from fleet_server.results.intervals import Estimate
from fleet_server.results.models import MOST_VALUES
from fleet_server.results.pieces import Grain, Piece, cut
from fleet_server.results.scores import withheld
from fleet_server.results.subjects import Subject
from fleet_server.results.table import MEASURES, Row, rows

MOST_TEXTS = 20_000  # some seconds of work, and more than anybody reads

COLUMNS = (
    "subject_kind", "subject_id", "subject", "question_code", "question", "question_type", "series", "question_set",
    "period_start", "period_end", "channel", "device_id", "device", "device_model", "status", "n", "cant_say",
    "measure", "headline", "headline_low", "headline_high", "interval_method", "mean", "mean_low", "mean_high",
    "filtered", "least_respondents",
    *(f"count_{value}" for value in range(MOST_VALUES)),
    *(f"share_{value}" for value in range(MOST_VALUES)),
    "value_labels",
)  # fmt: skip
TEXT_COLUMNS = ("place", "first_day", "last_day", "text")


@dataclass(frozen=True)
class Export:
    """What a file is made of. `k`: what holds now for new blocks; `waiting`: answers that are not released yet.

    `texts`: the newest of all `texts_found`.
    """

    subject: Subject
    name: str
    time: Piece
    pieces: Sequence[Piece]
    with_filtered: bool
    k: int
    waiting: int
    rows: Sequence[Row]
    whole: Sequence[Row]
    texts: Sequence[texts.Text]
    texts_found: int


def gathered(
    session: Session,
    subject: Subject,
    name: str,
    time: Piece,
    grain: Grain,
    language: str,
    *,
    with_filtered: bool = False,
) -> Export:
    """All that a file about this subject holds; `name` and questions in the reader's language."""
    pieces = cut(time, grain)
    found, written_texts = texts.read(
        session, subject.where, time.start, time.stop, with_filtered=with_filtered, limit=MOST_TEXTS
    )
    return Export(
        subject=subject,
        name=name,
        time=time,
        pieces=pieces,
        with_filtered=with_filtered,
        k=county.rules(session).least_respondents,
        waiting=withheld(session, subject.unit.path, subject.place.id if subject.place else None),
        rows=rows(session, subject.where, pieces, language, with_filtered=with_filtered),
        whole=rows(session, subject.where, [time], language, with_filtered=with_filtered, with_all=True),
        texts=written_texts,
        texts_found=found,
    )


def results_csv(export: Export) -> bytes:
    """A row for each question, period and source."""
    return written(COLUMNS, (_line(export, row) for row in export.rows), mark=True)


def texts_csv(export: Export) -> bytes:
    """A row for each open text, newest groups first; within a group they stand in no order."""
    lines = ((one.place, *_days(Piece(one.since, one.day + 1)), one.text) for one in export.texts)
    return written(TEXT_COLUMNS, lines, mark=True)


def _line(export: Export, row: Row) -> list[Any]:
    series, source, figures = row.question.series, row.source, row.figures
    measure, method = MEASURES.get(series.type, ("", ""))
    return [
        export.subject.where.scope,
        export.subject.where.id,
        export.name,
        series.code,
        row.question.text,
        series.type,
        series.id,
        series.first_set,
        *_days(row.piece),
        source.channel if source else "all",
        source.device_id if source else "",
        source.name if source else "",
        source.model if source else "",
        row.status,
        figures and figures.answers,
        figures and figures.cant_say,
        measure,
        *_estimate(row.headline),
        method,
        *_estimate(row.mean),
        "included" if export.with_filtered else "left out",
        export.k,
        *(row.count(value) for value in range(MOST_VALUES)),
        *(row.share(value) for value in range(MOST_VALUES)),
        "; ".join(f"{value} = {label}" for value, label in sorted(row.question.labels.items())),
    ]


def _days(piece: Piece) -> tuple[str, str]:
    return piece.first.isoformat(), piece.last.isoformat()


def _estimate(found: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (found.value, found.low, found.high) if found else (None, None, None)
