"""The file by which units are compared nationally: national questions alone, by unit, channel, and month or quarter.

Its columns are those of national_schema.json, in that order. It knows no page. Invariant: what is withheld has a row
that says so and no figure; demo places are in nothing; what misuse rules left out is in nothing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from sqlmodel import Session, col, select

from fleet_server.accounts import county
from fleet_server.devices.models import KIOSK, QR
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.places.volumes import presses_by_channel
from fleet_server.questions.items import shipped
from fleet_server.questions.models import NationalItem, Publication
from fleet_server.questions.reading import languages_of, text_in
from fleet_server.refusals import N_, Refused, shown
from fleet_server.results.csv_file import written
from fleet_server.results.models import MOST_VALUES, UNIT, Asked, Series
from fleet_server.results.pieces import FIRST_YEAR, Piece, between, cut, month_after, quarter_of
from fleet_server.results.scores import Where, by_source
from fleet_server.results.table import Question, Row, questions

NationalGrain = Literal["month", "quarter"]
OWN, TEXT = "own", "text"
NO_OID = "none"
MOST_MONTHS = 36  # 500 units: 18 000 questions of a millisecond


@dataclass(frozen=True)
class _Item:
    """A series that is asked in a national question's code; `version` of the library, None when worded otherwise."""

    question: Question
    version: int | None

    @property
    def id(self) -> int:
        """Of the series."""
        return self.question.series.id or 0


@cache
def schema() -> dict[str, Any]:
    """The file's Frictionless table schema."""
    found: dict[str, Any] = json.loads(
        files("fleet_server.results").joinpath("national_schema.json").read_text("utf-8")
    )
    return found


def columns() -> list[str]:
    """The file's header."""
    return [field["name"] for field in schema()["fields"]]


def month_of(typed: str, field: str = "from") -> date:
    """The first of a month written 2026-01. Raises Refused at this field."""
    year, _, month = typed.strip().partition("-")
    digits = typed.isascii() and (year + month).isdigit() and (len(year), len(month)) == (4, 2)
    if not digits or not 1 <= int(month) <= 12 or int(year) < FIRST_YEAR:
        text = N_("“%(value)s” is no month, must be written like 2026-01.")
        raise Refused({field: (text, {"value": shown(typed)})})
    return date(int(year), int(month), 1)


def whole_time(first: date, last: date) -> Piece:
    """From the first of month `first` to the end of month `last`. Raises Refused when that is none, or too long."""
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    values = {"value": f"{last:%Y-%m}", "first": f"{first:%Y-%m}", "most": MOST_MONTHS}
    if months < 1:
        raise Refused({"to": (N_("%(value)s is before the first month, which is %(first)s."), values)})
    if months > MOST_MONTHS:
        text = N_("%(value)s is too late: at most %(most)s months from %(first)s on make one file.")
        raise Refused({"to": (text, values)})
    return between(first, month_after(last) - timedelta(days=1))


def without_oid(session: Session) -> Sequence[Unit]:
    """Units that the file can name by nothing that the county's neighbours know."""
    rows = session.exec(select(Unit).order_by(col(Unit.path))).all()
    return [unit for unit in rows if not (unit.oid or "").strip()]


def national_csv(session: Session, time: Piece, grain: NationalGrain) -> bytes:
    """The file of whole months or quarters; a quarter that the time cuts is shorter, as its days say."""
    return written(columns(), lines(session, time, grain))


def lines(session: Session, time: Piece, grain: NationalGrain) -> Iterator[list[Any]]:
    """Rows in the order of unit, item, channel and period: wherever something is released, or people answered at all.

    So a national question that is asked at a unit and has too few answers stands there as withheld.
    """
    k = county.rules(session).least_respondents
    pieces = cut(time, grain)
    units = session.exec(select(Unit).order_by(col(Unit.path))).all()
    pressed = [_pressed(session, units, one) for one in pieces]
    found = {
        unit.id: [by_source(session, Where(UNIT, unit.id or 0), one.start, one.stop) for one in pieces]
        for unit in units
    }
    asked = _asked(session, units)
    items = _items(session, {series for parts in found.values() for part in parts for series, _ in part})
    for unit in units:
        released = {series for part in found[unit.id] for series, _ in part}
        there = released | asked.get(unit.id or 0, set()) or {item.id for item in items}
        parent = next((_oid(one) for one in units if one.id == unit.parent_id), "")
        for item in items:
            for channel in (KIOSK, QR) if item.id in there else ():
                for piece, part, volume in zip(pieces, found[unit.id], pressed, strict=True):
                    figures = part.get((item.id, channel))
                    if figures or volume.get((unit.id or 0, channel)):
                        row = Row(item.question, piece, None, figures)
                        yield _line(unit, parent, channel, _name(piece, grain), item.version, row, k)


def _line(
    unit: Unit, parent_oid: str, channel: str, period: str, version: int | None, row: Row, k: int
) -> list[Any]:
    series, figures = row.question.series, row.figures
    return [
        _oid(unit),
        unit.id,
        unit.name_fi,
        parent_oid,
        unit.parent_id,
        unit.sector,
        channel,
        period,
        row.piece.first.isoformat(),
        row.piece.last.isoformat(),
        series.code,
        version,
        series.id,
        series.first_set,
        series.type,
        row.status,
        figures and figures.answers,
        figures and figures.cant_say,
        *(row.share(value) for value in range(MOST_VALUES)),
        k,
    ]


def _oid(unit: Unit) -> str:
    return (unit.oid or "").strip() or NO_OID


def _name(piece: Piece, grain: NationalGrain) -> str:
    day = piece.first
    return f"{day:%Y-%m}" if grain == "month" else f"{day.year}-Q{quarter_of(day)}"


def _pressed(session: Session, units: Sequence[Unit], piece: Piece) -> dict[tuple[int, str], int]:
    """{(unit, channel): presses} with all below it; volumes are open."""
    above = _units_above(units)
    home = dict(session.exec(select(Place.id, Place.unit_id).where(col(Place.demo).is_(False))).all())
    sums: dict[tuple[int, str], int] = {}
    for (place, channel), presses in presses_by_channel(session, piece.start, piece.stop).items():
        for unit in above.get(home.get(place, 0), ()):
            sums[unit, channel] = sums.get((unit, channel), 0) + presses
    return sums


def _asked(session: Session, units: Sequence[Unit]) -> dict[int, set[int]]:
    """{unit: series in the sets that were published to devices that stood in it or below}."""
    above = _units_above(units)
    rows = session.exec(
        select(Place.unit_id, Asked.series_id)
        .join(Installation, col(Installation.place_id) == col(Place.id))
        .join(Publication, col(Publication.device_id) == col(Installation.device_id))
        .join(Asked, col(Asked.set_number) == col(Publication.set_number))
        .where(col(Place.demo).is_(False))
        .distinct()
    )
    found: dict[int, set[int]] = {}
    for home, series in rows:
        for unit in above.get(home, ()):
            found.setdefault(unit, set()).add(series)
    return found


def _units_above(units: Sequence[Unit]) -> dict[int, list[int]]:
    """{unit: itself and all above it}."""
    return {unit.id or 0: [int(part) for part in unit.path.split("/") if part] for unit in units}


def _items(session: Session, series: set[int]) -> list[_Item]:
    """Those among the series that have the code of a national question and are no open text."""
    versions: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for code, item in shipped().items():
        versions.setdefault(code, []).append((item["version"], item))
    for row in session.exec(select(NationalItem).order_by(col(NationalItem.version))):
        versions.setdefault(row.code, []).append((row.version, json.loads(row.body)))
    made = []
    for question in questions(session, series, "fi"):
        known = versions.get(question.series.code, [])
        if question.series.type != TEXT and any(_is_national(item) for _, item in known):
            made.append(_Item(question, _version(question.series, known)))
    return made


def _is_national(item: dict[str, Any]) -> bool:
    return any(text.get("status") != OWN for text in item.get("text", {}).values())


def _version(series: Series, known: Sequence[tuple[int, dict[str, Any]]]) -> int | None:
    """The newest version of the item that has the series' wording in its source language and its type."""
    body: dict[str, Any] = json.loads(series.body)
    source = next(iter(languages_of(body)), "fi")
    wording = text_in(body, source)
    fits = [
        version
        for version, item in known
        if item.get("type") == series.type and item.get("text", {}).get(source, {}).get("text") == wording
    ]
    return max(fits, default=None)
