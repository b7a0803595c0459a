"""The collector: receipts only after the commit, whatever the database does, and no message harms its neighbours."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DataError, OperationalError
from sqlmodel import select

from fleet_server.answers import quarantine
from fleet_server.db import Database
from fleet_server.devices import contact, reports
from fleet_server.devices.models import Device
from fleet_server.link import collector as module
from fleet_server.link import inbox
from fleet_server.link.inbox import Inbox, Incoming
from fleet_server.migrations import migrate
from tests import postgres
from tests.fleet_server.answers.messages import batch, press
from tests.fleet_server.link.conftest import new_kiosk
from tests.fleet_server.link.post import EPOCH, NOW, Pair, Post, answers, kept, presses, said
from tests.fleet_server.link.wire import until


@contextmanager
def failing_at(database: Database, call: int) -> Iterator[list[int]]:
    """The database fails at its n-th statement (COMMIT is one), once; yields how many there were."""
    calls = [0]

    def count() -> None:
        calls[0] += 1
        if calls[0] == call:
            raise OperationalError("x", {}, sqlite3.OperationalError("disk I/O error"))

    def at_statement(*_: object) -> None:
        count()

    def at_commit(_: object) -> None:
        count()

    event.listen(database.engine, "before_cursor_execute", at_statement)
    event.listen(database.engine, "commit", at_commit)
    try:
        yield calls
    finally:
        event.remove(database.engine, "before_cursor_execute", at_statement)
        event.remove(database.engine, "commit", at_commit)


def test_a_receipt_leaves_only_when_its_answers_can_be_read_by_another(
    kiosks: Pair, database: Database
) -> None:
    a, b = kiosks
    file = database.url.removeprefix("sqlite:///")
    seen: list[int] = []

    def look() -> None:
        other = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        seen.append(other.execute("SELECT count(*) FROM record").fetchone()[0])
        other.close()

    post = Post(database, look)
    sent = post.process(
        answers(a, batch(EPOCH, press(0), press(1))),
        answers(b, batch(EPOCH, press(0))),
        answers(a, batch(EPOCH, press(2), pressed=3)),
    )
    assert sent == [a.down("receipt"), b.down("receipt"), a.down("receipt")]
    assert seen == [4, 4, 4]
    assert [receipt["through"] for _, receipt in post.sent] == [2, 1, 3]


def test_wherever_the_database_fails_nothing_is_acknowledged_and_nothing_doubled(
    kiosks: Pair, database: Database
) -> None:
    a, b = kiosks
    post, call, seq = Post(database), 0, 0
    while True:
        call += 1
        mail = (
            answers(a, batch(EPOCH, press(seq), pressed=seq + 1)),
            said(a, "report", {"v": 1, "desired": 0, "uptime": seq}),
            said(b, "state", {"state": "ready", "conn": call, "next": 60}),
            answers(b, batch(EPOCH, press(seq), pressed=seq + 1)),
        )
        with failing_at(database, call) as calls:
            try:
                sent = post.process(*mail)
            except OperationalError:
                assert post.sent == []
            else:
                assert calls[0] < call, "a failure was swallowed"
                break
        assert presses(database, a) == seq, call
        assert len(post.process(*mail)) >= 2  # they come again
        assert len(post.process(mail[0], mail[3])) == 2  # and once more, as a late duplicate
        post.sent.clear()
        seq += 1
        assert (presses(database, a), presses(database, b)) == (seq, seq)
    assert call > 15
    assert {a.down("receipt"), b.down("receipt")} <= set(sent)


def test_a_locked_database_delays_and_loses_nothing(
    kiosks: Pair, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _ = kiosks
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.01)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=20")
        connection.rollback()
    post = Post(database)
    post.collector.start()
    other = sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    message = answers(a, batch(EPOCH, press(0)))
    post.offer(message)
    until(lambda: post.collector.failing_since == NOW, "it is seen that the database fails")
    assert post.sent == []
    other.execute("ROLLBACK")
    other.close()
    post.offer(message)  # the kiosk's time-out
    until(lambda: post.sent, "a receipt")
    until(lambda: post.collector.failing_since is None, "all is well again")
    post.collector.stop()
    assert not post.collector.alive
    assert presses(database, a) == 1


@pytest.mark.parametrize("fault", [RuntimeError("bug"), DataError("x", {}, Exception("value out of range"))])
def test_a_message_that_breaks_the_code_does_not_block_its_neighbours(
    kiosks: Pair, database: Database, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    a, b = kiosks
    take = reports.take

    def breaks(session: Any, device_id: str, body: Any, *, now: int) -> Any:
        if body.get("breaks"):
            raise fault
        return take(session, device_id, body, now=now)

    monkeypatch.setattr(reports, "take", breaks)
    post = Post(database)
    bad = said(b, "report", {"breaks": True})
    sent = post.process(
        answers(a, batch(EPOCH, press(0))),
        bad,
        answers(b, batch(EPOCH, press(0))),
        said(a, "report", {"v": 1}),
    )
    assert sent == [a.down("receipt"), b.down("receipt"), a.down("desired")]
    assert (presses(database, a), presses(database, b)) == (1, 1)
    assert (kept(database, b), kept(database, a)) == ([bad.payload], [])


def test_what_is_too_much_is_dropped_and_counted(
    kiosks: Pair, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _ = kiosks
    monkeypatch.setattr(inbox, "MOST_WAITING", 5)
    post = Post(database)
    mail = [answers(a, batch(EPOCH, press(seq), pressed=seq + 1)) for seq in range(8)]
    post.offer(*mail)
    assert (post.collector.waiting, post.collector.dropped) == (5, 3)
    post.collector.start()
    until(lambda: len(post.sent) == 5, "what was taken is answered")
    post.offer(*mail[5:])  # the kiosk sends again what got no receipt
    until(lambda: len(post.sent) == 8, "the rest, too")
    post.collector.stop()
    assert presses(database, a) == 8


def test_what_waits_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING_BYTES", 100)
    box = Inbox()
    assert [box.put(Incoming("a", "log", bytes(40))) for _ in range(4)] == [True, True, False, False]
    assert box.put(Incoming("a", "log", bytes(20)))  # what is smaller still fits
    assert [len(message.payload) for message in box.take(2)] == [40, 40]
    assert box.put(Incoming("b", "log", bytes(80)))
    assert not box.put(Incoming("b", "log", b"x"))
    assert [len(message.payload) for message in box.take(9)] == [20, 80]
    box.close()
    assert box.take(9) == []
    assert not box.put(Incoming("b", "log", b""))


def test_a_flood_of_long_messages_fills_neither_queue_nor_disk(kiosks: Pair, database: Database) -> None:
    a, b = kiosks
    post = Post(database)
    post.offer(*[Incoming(a.id, "answers", bytes(60_000))] * 5_000)
    assert post.collector.dropped > 0
    assert post.collector.waiting * module.MOST_BYTES <= inbox.MOST_WAITING_BYTES
    post.collector.start()
    until(lambda: post.collector.waiting == 0, "the flood is over", 60)
    post.offer(answers(b, batch(EPOCH, press(0))))
    post.collector.stop()
    assert presses(database, b) == 1
    with database.read() as session:
        assert len(quarantine.list_of(session, a.id, limit=1_000)) == quarantine.LAST_STRAY


def test_stopping_finishes_what_has_come_in(kiosks: Pair, database: Database) -> None:
    a, _ = kiosks
    post = Post(database)
    post.offer(*(answers(a, batch(EPOCH, press(seq), pressed=seq + 1)) for seq in range(700)))
    post.collector.start()
    post.collector.stop()
    assert (len(post.sent), presses(database, a)) == (700, 700)
    Post(database).collector.stop()  # one that never began


def test_a_will_that_comes_with_the_last_answers_leaves_the_kiosk_lost(
    kiosks: Pair, database: Database
) -> None:
    a, _ = kiosks
    post = Post(database)
    ready = said(a, "state", {"state": "ready", "conn": 4, "next": 900})
    lost = said(a, "state", {"state": "lost", "conn": 4})

    def status() -> str:
        with database.read() as session:
            device = session.get(Device, a.id)
            assert device is not None
            return device.status

    post.process(ready, answers(a, batch(EPOCH, press(0))), lost)
    assert status() == "lost"
    post.process(lost, said(a, "report", {"v": 1}))
    assert status() == "here"
    with database.write() as session:  # its `ready` was lost with the broker, its will was not
        assert contact.take_state(session, a.id, {"state": "lost", "conn": 5}, now=NOW) == ""
    assert status() == "lost"


def test_crash_reports_are_kept_as_they_came(kiosks: Pair, database: Database) -> None:
    a, _ = kiosks
    post = Post(database)
    post.process(Incoming(a.id, "log", b"\xff\0" + b"x" * 8_000), said(a, "log", {"task": "link"}))
    assert kept(database, a) == []


@pytest.mark.skipif(not postgres.installed(), reason=postgres.NOT_INSTALLED)
def test_on_postgresql_it_is_the_same() -> None:
    with postgres.cluster() as cluster:
        database = Database(cluster.url(cluster.create()))
        try:
            migrate(database)
            a, b = new_kiosk(database, "A"), new_kiosk(database, "B")
            post = Post(database)
            for seq in range(3):
                sent = post.process(
                    answers(a, batch(EPOCH, press(seq), pressed=seq + 1)),
                    answers(b, batch(EPOCH, press(seq), pressed=seq + 1)),
                    Incoming(b.id, "answers", b"\0" * module.MOST_BYTES, 9_000),
                    Incoming("unknown00000", "answers", b"\0"),
                    said(a, "state", {"state": "lost", "conn": 1}),
                )
                assert sent == [a.down("receipt"), b.down("receipt")]
            assert [presses(database, kiosk) for kiosk in (a, b)] == [3, 3]
            assert (len(kept(database, a)), len(kept(database, b))) == (0, 3)
            with database.read() as session:
                devices = {device.id: device for device in session.exec(select(Device))}
            assert (devices[b.id].status, devices[b.id].contact_at) == ("here", NOW)
            assert devices[a.id].contact_at is None  # its last word was the broker's
            post.process(said(a, "report", {"v": 1, "firmware": "a\0", "board": "b\0"}))
            with database.read() as session:
                device = session.get(Device, a.id)
                assert device is not None
                assert (device.report_at, device.firmware) == (NOW, None)
        finally:
            database.close()


def test_offer_may_be_called_from_many_threads(kiosks: Pair, database: Database) -> None:
    post = Post(database)
    post.collector.start()
    mail = [
        [answers(kiosk, batch(EPOCH, press(seq), pressed=seq + 1)) for seq in range(50)] for kiosk in kiosks
    ]
    threads = [threading.Thread(target=post.offer, args=one) for one in mail]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    post.collector.stop()
    assert [presses(database, kiosk) for kiosk in kiosks] == [50, 50]
    assert len(post.sent) == 100
