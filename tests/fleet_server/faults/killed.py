"""A server process that kills itself at a chosen point of the story, is started again, and must end up the same.

    PYTHONPATH=firmware python -m tests.fleet_server.faults.killed URL FOLDER [LIFE …]

A life is `POINT[+MICROSECONDS]` or several of them joined by `,`: killed at the point of that number in the first
life, of the next number in the life after it, and so on, then left to end well. Points lie before and after decoding,
each statement, the commit and each half of each receipt; with `+µs` the kernel ends the process that much later,
wherever it is then, be it in the middle of a sync. Without lives it prints how many points there are. With HASTY=1 in
the environment receipts leave before the commit: that must be found out.

Each life is a fork of this process, made while it has no connection open: what is killed is a real process, by a real
signal, with its own connection to a real file or server.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import Session, select

from fleet_server.answers import check, wire
from fleet_server.answers.models import JournalEpoch, LedgerRange
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.link.collector import Collector, Incoming, Outcome
from tests.fleet_server.faults import story

Ids = tuple[str, str, str]
Contents = dict[str, list[Any]]
Point = tuple[int, int | None]  # number of the point, µs until the kernel ends the process (None: at once)


def main(url: str, folder: Path, lives: Sequence[str]) -> int:
    """Print a line for each life that did not end well; for none a line with their number."""
    names = count(os.getpid() * 1_000_000)
    logging.getLogger("hymio").setLevel(logging.CRITICAL)  # the story's noise is refused each time
    database = Database(url)
    points, whole = _whole(database, folder / "whole.log", _ids(next(names)))
    if not lives:
        print(json.dumps({"points": points}))
        return 0
    bad = 0
    for life in lives:
        faults = _interrupted(database, folder, _ids(next(names)), _points(life), whole)
        if faults:
            bad += 1
            print(f"{life}: {'; '.join(faults)}")
    print(json.dumps({"lives": len(lives), "bad": bad}))
    return 1 if bad else 0


def _points(life: str) -> list[Point]:
    found: list[Point] = []
    for point in life.split(","):
        number, _, micros = point.partition("+")
        found.append((int(number), int(micros) if micros else None))
    return found


def _ids(name: int) -> Ids:
    digits = f"{name % 10**11:011d}"
    return f"a{digits}", f"b{digits}", f"c{digits}"


def _whole(database: Database, log: Path, ids: Ids) -> tuple[int, Contents]:
    """The story undisturbed: how many points it has, and what it comes to. Leaves no connection open."""
    log.touch()
    points = _live(database, log, ids, None, new=True)
    with database.read() as session:
        contents = story.contents(session, ids)
        assert [*_broken_promises(session, log, ids)] == []
    database.close()
    log.unlink()
    return points, contents


def _interrupted(
    database: Database, folder: Path, ids: Ids, points: list[Point], whole: Contents
) -> list[str]:
    log = folder / f"{ids[0]}.log"
    log.touch()
    for number, point in enumerate(points):
        status = _in_a_process(_live, database, log, ids, point, new=number == 0)
        if not os.WIFSIGNALED(status) and status != 0:
            return [f"life {number + 1} ended with {os.waitstatus_to_exitcode(status)}"]
    ended = log.with_suffix(".json")
    status = _in_a_process(_last_life, database, log, ids, ended)
    if status != 0:
        return [f"the last life ended with {os.waitstatus_to_exitcode(status)}"]
    said = json.loads(ended.read_text())
    ended.unlink()
    log.unlink()
    return [
        *said["faults"],
        *(
            f"{name}: {[row for row in rows if row not in whole[name]]} instead of "
            f"{[row for row in whole[name] if row not in rows]}"
            for name, rows in said["contents"].items()
            if rows != whole[name]
        ),
    ]


def _last_life(database: Database, log: Path, ids: Ids, ended: Path) -> None:
    _live(database, log, ids, None, new=False)
    with database.read() as session:
        faults = [*_broken_promises(session, log, ids)]
        for device_id in ids:
            faults += check.faults(session, device_id)
        ended.write_text(json.dumps({"faults": faults, "contents": story.contents(session, ids)}))


class _Hasty(Collector):
    """A server that breaks the promise."""

    def _book(self, session: Session, group: Iterable[Incoming], outcome: Outcome, now: int) -> None:
        super()._book(session, group, outcome, now)
        for topic, payload in outcome.messages:
            self._sink(topic, payload)
        outcome.messages.clear()


class _Points:
    """Counts the points that are passed, and ends the process at the chosen one."""

    def __init__(self, point: Point | None) -> None:
        self.passed = 0
        self._point = point

    def __call__(self, *_: Any, **__: Any) -> None:
        self.passed += 1
        if self._point is None or self.passed != self._point[0]:
            return
        if self._point[1] is None:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            signal.setitimer(
                signal.ITIMER_REAL, self._point[1] / 1e6
            )  # nobody handles SIGALRM: the kernel kills

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function with a point before and one after it."""

        def passing(*arguments: Any) -> Any:
            self()
            result = function(*arguments)
            self()
            return result

        return passing

    @contextmanager
    def along(self, database: Database) -> Iterator[None]:
        """Points before and after decoding a message and each statement, before and after the commit."""
        engine, decode = database.engine, wire.read_batch
        places = [(engine, name) for name in ("before_cursor_execute", "after_cursor_execute", "commit")]
        places.append((Session, "after_commit"))
        wire.read_batch = self.around(decode)
        for target, name in places:
            event.listen(target, name, self)
        try:
            yield
        finally:
            wire.read_batch = decode
            for target, name in places:
                event.remove(target, name, self)


def _live(database: Database, log: Path, ids: Ids, point: Point | None, *, new: bool) -> int:
    """One life of the server: it is sent whatever got no receipt yet. Returns the number of points passed."""
    if new:
        with database.write() as session:
            story.devices(session, ids)
    else:
        with database.read() as session:
            broken = [*_broken_promises(session, log, ids)]
        assert not broken, broken
    at_point = _Points(point)
    lines = os.open(log, os.O_WRONLY | os.O_APPEND)

    def write(line: dict[str, Any]) -> None:
        raw = json.dumps(line).encode()
        at_point()
        os.write(lines, b"\n" + raw[: len(raw) // 2])
        at_point()
        os.write(lines, raw[len(raw) // 2 :] + b".")  # the stop tells a whole line from one that was cut
        at_point()

    def receipt(topic: str, payload: bytes) -> None:
        if topic.endswith("/receipt"):
            write({"device": topic.split("/")[3], **json.loads(payload)})

    done, receipts = _told(log)
    answered = {(line["device"], line["nonce"]) for line in receipts}
    collector = (_Hasty if os.environ.get("HASTY") else Collector)(
        database, receipt, Changes(), clock=lambda: story.NOW
    )
    with at_point.along(database):
        for number, mails in enumerate(story.told(ids)):
            mine = [
                mail.incoming
                for mail in mails
                if (
                    (mail.incoming.device_id, mail.batch.nonce) not in answered
                    if mail.batch
                    else number >= done
                )
            ]
            if mine:
                collector.process(mine)
            if number >= done:
                os.write(lines, b"\n" + json.dumps({"done": number + 1}).encode() + b".")
    os.close(lines)
    return at_point.passed


def _told(log: Path) -> tuple[int, list[dict[str, Any]]]:
    """How many transactions ended, and the receipts that left whole."""
    lines = [json.loads(line[:-1]) for line in log.read_text().splitlines() if line.endswith(".")]
    done = max((line["done"] for line in lines if "done" in line), default=0)
    return done, [line for line in lines if "nonce" in line]


def _broken_promises(session: Session, log: Path, ids: Ids) -> list[str]:
    """What receipts said that is not on the disk."""
    batches = {
        (mail.incoming.device_id, mail.batch.nonce): mail.batch
        for mails in story.told(ids)
        for mail in mails
        if mail.batch is not None
    }
    broken = []
    for receipt in _told(log)[1]:
        device_id, epoch = receipt["device"], receipt["epoch"]
        batch = batches[device_id, receipt["nonce"]]
        through = session.exec(
            select(JournalEpoch.through).where(
                JournalEpoch.device_id == device_id, JournalEpoch.epoch == epoch
            )
        ).first()
        ranges = session.exec(
            select(LedgerRange.start, LedgerRange.stop).where(
                LedgerRange.device_id == device_id, LedgerRange.epoch == epoch
            )
        ).all()
        booked = {seq for start, stop in ranges for seq in range(start, stop)}
        if through is None or through < receipt["through"] or not booked >= set(range(batch.start, batch.to)):
            broken.append(f"receipt {receipt} is not on the disk (through {through}, ledger {ranges})")
    return broken


def _in_a_process(live: Callable[..., Any], *arguments: Any, **options: Any) -> int:
    """Run it in a fork; its wait status."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            live(*arguments, **options)
            code = 0
        finally:
            if code:
                sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
                sys.stderr.flush()
            os._exit(code)
    return os.waitpid(pid, 0)[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
