"""Sorts answers into streams that wait for each other, and closes the blocks that are whole.

It takes nothing in by itself: see release.py. Invariant: what was sorted is in a block, or waits, or is nobody's say
any more.
"""

import json
from collections import Counter
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, insert, select, update
from sqlmodel import Session, col

from fleet_server.answers import bulk, wire
from fleet_server.answers.models import Record
from fleet_server.answers.placing import DAY, bounds
from fleet_server.answers.rules import CORRECTED, UNANSWERED
from fleet_server.places.models import Place
from fleet_server.results import texts
from fleet_server.results.models import Block, Series, WaitingAnswer
from fleet_server.results.series import series_of
from fleet_server.results.sums import Sums, counts_of

_RECORDS, _WAITING = bulk.table_of(Record), bulk.table_of(WaitingAnswer)

COLUMNS = tuple(
    _RECORDS.c[name]
    for name in (
        "device_id", "epoch", "seq", "kind", "value", "session", "set_number", "question", "from_at", "to_at", "flags",
        "place_id", "filtered", "received_at", "body",
    )
)  # fmt: skip


class Stream(NamedTuple):
    """What waits for each other."""

    place_id: int
    series_id: int
    device_id: str
    filtered: bool


_WAITS = and_(
    _RECORDS.c.device_id == _WAITING.c.device_id,
    _RECORDS.c.epoch == _WAITING.c.epoch,
    _RECORDS.c.seq == _WAITING.c.seq,
)
_JOINED = select(*COLUMNS).join(_WAITING, _WAITS)


def _keyed(table: Any) -> Any:
    return and_(
        table.c.device_id == bindparam("d"), table.c.epoch == bindparam("e"), table.c.seq == bindparam("s")
    )


_GONE = delete(_WAITING).where(_keyed(_WAITING))
_RELEASED = update(_RECORDS).where(_keyed(_RECORDS)).values(block_id=bindparam("b"))


def _key(answer: Any) -> dict[str, Any]:
    return {"d": answer.device_id, "e": answer.epoch, "s": answer.seq}


class Desk:
    """The answers of a step, sorted into streams. What an answer is, is looked up anew: it may have been corrected,
    filtered or moved while it waited."""

    def __init__(self, session: Session, k: int, now: int) -> None:
        self._session = session
        self._run = session.connection().execute
        self._k = k
        self._now = now
        self._demo = set(session.exec(select(col(Place.id)).where(col(Place.demo))).scalars())  # type: ignore[call-overload]
        self._series: dict[tuple[int, int], int | None] = {}
        self._kinds: dict[int, str] = {}
        self._streams: dict[Stream, list[Any]] = {}
        self._waited: set[tuple[str, int, int]] = set()  # those of the table that are on the desk
        self._gone: list[Any] = []
        self._homeless: list[Any] = []

    def undecided(self) -> list[Any]:
        """Those that wait and were in no stream."""
        rows = self._run(_JOINED.where(_WAITING.c.place_id.is_(None))).all()
        self._waited |= {tuple(row[:3]) for row in rows}
        return list(rows)

    def sort(self, answers: list[Any]) -> None:
        """Into streams, with those that wait in the same ones already."""
        touched = {stream for answer in answers if (stream := self._stream_of(answer))}
        for place_id in {stream.place_id for stream in touched}:
            series = {stream.series_id for stream in touched if stream.place_id == place_id}
            rows = self._run(
                _JOINED.where(_WAITING.c.place_id == place_id, _WAITING.c.series_id.in_(series))
            ).all()
            self._waited |= {tuple(row[:3]) for row in rows}
            answers = [*answers, *rows]
        for answer in answers:
            if answer.filtered in (CORRECTED, UNANSWERED):
                self._gone.append(answer)
            elif stream := self._stream_of(answer):
                self._streams.setdefault(stream, []).append(answer)
            else:
                self._homeless.append(answer)

    def close(self) -> list[Block]:
        """Write the blocks that are whole, oldest answers first; what is left over goes on waiting."""
        closing: list[tuple[Block, dict[str, int], list[Any]]] = []
        staying: list[dict[str, Any]] = []
        late = self._too_late()
        for stream, answers in self._streams.items():
            answers = [answer for answer in answers if _visit_of(answer) not in late]
            answers.sort(key=lambda answer: (answer.from_at, answer.epoch, answer.seq))
            whole = len(answers) - len(answers) % self._k
            closing += [self._block(stream, answers[at : at + self._k]) for at in range(0, whole, self._k)]
            staying += [
                _waiting(answer, stream.place_id, stream.series_id, stream.filtered)
                for answer in answers[whole:]
            ]
        staying += [_waiting(answer, None, None, None) for answer in self._homeless]
        self._write(closing)
        gone = [{"d": device, "e": epoch, "s": seq} for device, epoch, seq in sorted(self._waited)]
        if gone:
            self._run(_GONE, gone)
        if staying:
            self._run(insert(_WAITING), staying)
        return [block for block, _, _ in closing]

    def _write(self, closing: list[tuple[Block, dict[str, int], list[Any]]]) -> None:
        self._session.add_all(block for block, _, _ in closing)
        self._session.flush()
        released = [_key(one) | {"b": block.id} for block, _, together in closing for one in together]
        if released:
            self._run(_RELEASED, released)
        sums = Sums(self._session, k=self._k)
        for block, counts, together in closing:
            sums.add(block, counts)
            if self._kind_of(block.series_id) == "text":
                texts.release(self._session, block, (bytes(one.body).decode() for one in together))
        sums.write()

    def _stream_of(self, answer: Any) -> Stream | None:
        """None: where, when or what was asked is not known, or it was a rehearsal at a real place."""
        if answer.place_id is None or answer.from_at is None:
            return None
        if answer.flags & wire.FLAG_SIMULATED and answer.place_id not in self._demo:
            return None
        asked = answer.set_number, answer.question
        if asked not in self._series:
            self._series[asked] = series_of(self._session, *asked)
        series = self._series[asked]
        if series is None:
            return None
        return Stream(answer.place_id, series, answer.device_id, answer.filtered is not None)

    def _kind_of(self, series_id: int) -> str:
        if series_id not in self._kinds:
            self._kinds[series_id] = self._session.get_one(Series, series_id).type
        return self._kinds[series_id]

    def _block(self, stream: Stream, together: list[Any]) -> tuple[Block, dict[str, int], list[Any]]:
        counts = counts_of(self._kind_of(stream.series_id), Counter(answer.value for answer in together))
        block = Block(
            place_id=stream.place_id,
            device_id=stream.device_id,
            series_id=stream.series_id,
            filtered=stream.filtered,
            k=self._k,
            answers=len(together),
            counts=json.dumps(counts, sort_keys=True),
            day=bounds(DAY, max(answer.to_at for answer in together))[0],
            since=bounds(DAY, min(answer.from_at for answer in together))[0],
            closed_at=self._now,
        )
        return block, counts, together

    def _too_late(self) -> set[tuple[str, int, int, int, int]]:
        """(device, epoch, beginning of the visit, set, question) of answers that were corrected after their release.

        What corrects them leaves the queue: a visitor counts once, and what was released stays.
        """
        reach: dict[tuple[str, int], list[int]] = {}
        for answers in self._streams.values():
            for answer in answers:
                if answer.session not in (0, wire.NO_VISIT):
                    reach.setdefault((answer.device_id, answer.epoch), []).append(answer.seq)
        found: set[tuple[str, int, int, int, int]] = set()
        for (device_id, epoch), seqs in reach.items():
            rows = self._run(
                select(_RECORDS.c.seq - _RECORDS.c.session, _RECORDS.c.set_number, _RECORDS.c.question)
                .where(_RECORDS.c.device_id == device_id, _RECORDS.c.epoch == epoch)
                .where(_RECORDS.c.seq.between(min(seqs) - wire.NO_VISIT, max(seqs)))
                .where(_RECORDS.c.filtered == CORRECTED, _RECORDS.c.block_id.is_not(None))
            )
            found |= {(device_id, epoch, *row) for row in rows}
        return found


def _visit_of(answer: Any) -> tuple[str, int, int, int, int]:
    began = answer.seq - answer.session
    return answer.device_id, answer.epoch, began, answer.set_number, answer.question


def _waiting(
    answer: Any, place_id: int | None, series_id: int | None, filtered: bool | None
) -> dict[str, Any]:
    key = {"device_id": answer.device_id, "epoch": answer.epoch, "seq": answer.seq}
    return key | {"place_id": place_id, "series_id": series_id, "filtered": filtered}
