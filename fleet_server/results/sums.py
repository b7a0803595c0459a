"""Adds closed blocks to the sums that pages read: of their place, of every unit above it, and for everybody.

Invariant: the sums are those of whole blocks; nothing else writes them.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from fleet_server.answers import bulk, wire
from fleet_server.devices.models import Device
from fleet_server.places.models import Place, Unit
from fleet_server.places.periods import month_start
from fleet_server.results.models import MONTH, PLACE, PUBLIC, UNIT, VALUES, WEEK, Block, Score, ScoreSpan
from fleet_server.results.spans import monday

# Nobody who need not be asked may see fewer together than this, whatever the county decides for its own people.
PUBLIC_K = 10

_BLOCKS, _SCORES, _SPANS = (bulk.table_of(model) for model in (Block, Score, ScoreSpan))
KEY = ("scope", "scope_id", "filtered", "day", "series_id", "source")
SPAN_KEY = ("scope", "scope_id", "filtered", "grain", "start", "series_id", "source")
FIGURES = ("answers", "cant_say", *VALUES)
Key = tuple[str, int, bool, int, int, str]
SpanKey = tuple[str, int, bool, str, int, int, str]


class Sums:
    """What this transaction adds. `k`: respondents a block at least; see PUBLIC_K."""

    def __init__(self, session: Session, *, k: int) -> None:
        self._session = session
        self._public_k = max(PUBLIC_K, k)
        self.added: dict[Key, Counter[str]] = {}
        self._places: dict[int, tuple[tuple[int, ...], bool]] = {}
        self._channels: dict[str, str] = {}
        self._streams: set[tuple[int, int]] = set()

    def add(self, block: Block | Any, counts: dict[str, int], *, publish: bool = True) -> None:
        """Add a block that was just closed; `publish`: it may now be enough for everybody to see."""
        self._add(PLACE, block.place_id, block, block.device_id, block.day, counts)
        units, demo = self._place(block.place_id)
        for unit in units:
            self._add(UNIT, unit, block, self._channel(block.device_id), block.day, counts)
        if publish and not block.filtered and not demo:
            self._streams.add((block.place_id, block.series_id))

    def write(self) -> None:
        """Add it all to the tables."""
        for place_id, series_id in sorted(self._streams):
            self._publish(place_id, series_id)
        _add_to_tables(self._session, self.added)
        self.added = {}

    def _add(
        self, scope: str, scope_id: int, block: Block | Any, source: str, day: int, counts: dict[str, int]
    ) -> None:
        key = (scope, scope_id, bool(block.filtered), day, block.series_id, source)
        figures = self.added.setdefault(key, Counter())
        figures["answers"] += block.answers
        for value, count in counts.items():
            figures["cant_say" if value == str(wire.NO_VALUE) else f"v{value}"] += count

    def _publish(self, place_id: int, series_id: int) -> None:
        """Blocks of a place that are enough together may be seen by everybody: as one, for the day of the last."""
        run = self._session.connection().execute
        waiting = run(
            select(_BLOCKS)
            .where(_BLOCKS.c.place_id == place_id, _BLOCKS.c.series_id == series_id)
            .where(_BLOCKS.c.public.is_(False), _BLOCKS.c.filtered.is_(False))
            .order_by(_BLOCKS.c.day, _BLOCKS.c.id)
        ).all()
        together: list[Any] = []
        for block in waiting:
            together.append(block)
            if sum(one.answers for one in together) < self._public_k:
                continue
            for one in together:
                self._add(PUBLIC, place_id, one, "", block.day, json.loads(one.counts))
            run(update(_BLOCKS).where(_BLOCKS.c.id.in_([one.id for one in together])).values(public=True))
            together = []

    def _place(self, place_id: int) -> tuple[tuple[int, ...], bool]:
        """The units that a place counts for (none for a demo place: no total includes it), and whether it is demo."""
        if place_id not in self._places:
            demo, path = self._session.exec(
                select(col(Place.demo), col(Unit.path))  # type: ignore[call-overload]
                .join(Unit, col(Place.unit_id) == col(Unit.id))
                .where(col(Place.id) == place_id)
            ).one()
            units = () if demo else tuple(int(part) for part in path.split("/") if part)
            self._places[place_id] = units, demo
        return self._places[place_id]

    def _channel(self, device_id: str) -> str:
        if device_id not in self._channels:
            self._channels[device_id] = self._session.get_one(Device, device_id).channel
        return self._channels[device_id]


def counts_of(kind: str, values: Mapping[int, int]) -> dict[str, int]:
    """{value: how many chose it} of {value as recorded: answers}; of a choice {option: …}; "255": can't say. Of texts
    nothing."""
    if kind == "text":
        return {}
    found: Counter[str] = Counter()
    for value, count in values.items():
        if value != wire.NO_VALUE and kind == "choice":
            for option in range(value.bit_length()):
                if value >> option & 1:
                    found[str(option)] += count
        else:
            found[str(value)] += count
    return dict(found)


def hang(session: Session, place_ids: Collection[int], before: str, after: str) -> None:
    """These places count for the units on the path `after` from now on, no more for those on `before` alone."""
    old, new = ({int(part) for part in path.split("/") if part} for path in (before, after))
    sums = Sums(session, k=PUBLIC_K)
    changes: dict[Key, Counter[str]] = {}
    of_places = (_SCORES.c.scope == PLACE) & _SCORES.c.scope_id.in_(place_ids)
    for row in session.connection().execute(select(_SCORES).where(of_places)):
        if sums._place(row.scope_id)[1]:
            continue  # a demo place is in no sum
        for units, sign in ((old - new, -1), (new - old, 1)):
            for unit in units:
                key = (UNIT, unit, row.filtered, row.day, row.series_id, sums._channel(row.source))
                figures = changes.setdefault(key, Counter())
                for name in FIGURES:
                    figures[name] += sign * getattr(row, name)
    _add_to_tables(session, changes)


def _add_to_tables(session: Session, changes: dict[Key, Counter[str]]) -> None:
    rows = [(*key, *(figures[name] for name in FIGURES)) for key, figures in sorted(changes.items())]
    bulk.upsert(session.connection(), _SCORES, (*KEY, *FIGURES), rows, add=FIGURES)
    add_spans(session, spans_of(changes))


def add_spans(session: Session, spans: Mapping[SpanKey, Counter[str]]) -> None:
    """Add to the weeks and months; whoever adds to days does."""
    rows = [(*key, *(figures[name] for name in FIGURES)) for key, figures in sorted(spans.items())]
    bulk.upsert(session.connection(), _SPANS, (*SPAN_KEY, *FIGURES), rows, add=FIGURES)


def spans_of(days: Mapping[Key, Mapping[str, int]]) -> dict[SpanKey, Counter[str]]:
    """The sums of days, summed for the week and for the month in which each lies."""
    spans: dict[SpanKey, Counter[str]] = {}
    for (scope, scope_id, filtered, day, series, source), figures in days.items():
        for grain, start in ((WEEK, monday(day)), (MONTH, month_start(day))):
            span = spans.setdefault((scope, scope_id, filtered, grain, start, series, source), Counter())
            for name, number in figures.items():
                span[name] += number
    return spans
