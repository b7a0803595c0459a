"""Finds texts of a subject by words, theme and how far they were handled, with the counts that a page shows beside.

It asks results/texts.py for the texts and decides nothing about who may read them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, cast, exists, func, null, union_all
from sqlalchemy import select as columns_of
from sqlmodel import Session

from fleet_server.answers import bulk
from fleet_server.handling import marking, themes
from fleet_server.handling.models import Handling, TextTheme, Theme
from fleet_server.results import texts
from fleet_server.results.models import ReleasedText
from fleet_server.results.scores import Where
from fleet_server.results.texts import Text

NAMES = "names"  # as a state: those that may name a person
_TEXTS, _PAIRS = bulk.table_of(ReleasedText), bulk.table_of(TextTheme)


@dataclass(frozen=True)
class Wanted:
    """What is looked for: `words`, a `theme`'s id, a `state` (UNREAD, one of marking.STATES, NAMES); all if empty."""

    words: str = ""
    theme: int | None = None
    state: str = ""
    with_filtered: bool = False


@dataclass(frozen=True)
class Shown:
    """A text with its themes and how far it was handled; None: not at all."""

    text: Text
    themes: Sequence[Theme]
    handled: Handling | None


@dataclass(frozen=True)
class Found:
    """A page of what was found. `count`: all of it, `unread` of these. `of_theme`: how many of each theme there are,
    and `of_all` of any or none, with the same words and state."""

    page: Sequence[Shown]
    count: int
    unread: int
    of_all: int
    of_theme: Sequence[tuple[Theme, int]]


def find(
    session: Session, where: Where, start: int, stop: int, wanted: Wanted, *, limit: int, page: int
) -> Found:
    """The texts of [start, stop), two Finnish midnights; `page` from 1 on."""
    base = [
        *texts.within(where, start, stop, with_filtered=wanted.with_filtered),
        *texts.matching(wanted.words),
        *_of_state(wanted.state),
    ]
    amounts = _amounts_in_one if wanted.words else _amounts
    of_all, of_theme = amounts(session, base)
    themed = [] if wanted.theme is None else [_of_theme(wanted.theme)]
    listed = texts.page(
        session,
        where,
        start,
        stop,
        search=wanted.words,
        with_filtered=wanted.with_filtered,
        among=[*_of_state(wanted.state), *themed],
        limit=limit,
        offset=(page - 1) * limit,
    )
    count = of_all if wanted.theme is None else of_theme.get(wanted.theme, 0)
    return Found(
        page=shown(session, listed),
        count=count,
        unread=count - _count(session, [*base, *themed, marking.handled()]),
        of_all=of_all,
        of_theme=[(theme, of_theme.get(theme.id or 0, 0)) for theme in themes.all_themes(session)],
    )


def shown(session: Session, listed: Sequence[Text]) -> list[Shown]:
    """These texts with what is known of them."""
    ids = [text.id for text in listed]
    known = {theme.id: theme for theme in themes.all_themes(session)}
    rows = session.connection().execute(
        columns_of(_PAIRS.c.text_id, _PAIRS.c.theme_id)
        .where(_PAIRS.c.text_id.in_(ids))
        .order_by(_PAIRS.c.theme_id)
    )
    mine: dict[int, list[Theme]] = {}
    for text_id, theme_id in rows:
        mine.setdefault(text_id, []).append(known[theme_id])
    handled = marking.of_texts(session, ids)
    return [Shown(text, mine.get(text.id, []), handled.get(text.id)) for text in listed]


def _of_state(state: str) -> list[ColumnElement[bool]]:
    if not state:
        return []
    return [_TEXTS.c.may_name.is_(True) if state == NAMES else marking.condition(state)]


def _of_theme(theme_id: int) -> ColumnElement[bool]:
    return exists().where(_PAIRS.c.text_id == _TEXTS.c.id, _PAIRS.c.theme_id == theme_id)


def _count(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    counted = columns_of(func.count()).select_from(_TEXTS).where(*conditions)
    return int(session.connection().execute(counted).scalar_one())


def _amounts(session: Session, conditions: Sequence[ColumnElement[bool]]) -> tuple[int, dict[int, int]]:
    """How many texts there are, and {theme: how many}."""
    of_theme = (
        columns_of(_PAIRS.c.theme_id, func.count())
        .join(_TEXTS, _PAIRS.c.text_id == _TEXTS.c.id)
        .where(*conditions)
        .group_by(_PAIRS.c.theme_id)
    )
    rows = session.connection().execute(of_theme).all()
    return _count(session, conditions), {theme: int(count) for theme, count in rows}


def _amounts_in_one(
    session: Session, conditions: Sequence[ColumnElement[bool]]
) -> tuple[int, dict[int, int]]:
    """The same in one statement: words are looked for in each text, and that costs more than all else."""
    found = columns_of(_TEXTS.c.id).where(*conditions).cte("found")
    of_theme = (
        columns_of(_PAIRS.c.theme_id, func.count())
        .join(found, _PAIRS.c.text_id == found.c.id)
        .group_by(_PAIRS.c.theme_id)
    )
    of_all = columns_of(cast(null(), Integer), func.count()).select_from(found)
    rows = session.connection().execute(union_all(of_all, of_theme)).all()
    amounts = {theme: int(count) for theme, count in rows}
    return amounts.pop(None), amounts
