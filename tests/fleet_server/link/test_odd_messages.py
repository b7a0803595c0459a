"""Messages that make no sense: ignored or kept, and no neighbour is harmed."""

import pytest

from fleet_server.answers import quarantine
from fleet_server.db import Database
from fleet_server.devices import credentials
from fleet_server.devices.models import Device
from fleet_server.link import collector as module
from fleet_server.link.inbox import Incoming
from tests.fleet_server.answers.messages import batch, press
from tests.fleet_server.link.post import EPOCH, NOW, Pair, Post, answers, kept, presses, said


def test_what_is_not_one_of_ours_is_ignored(kiosks: Pair, database: Database) -> None:
    a, b = kiosks
    with database.write() as session:
        credentials.revoke(session, b.id, now=NOW)
    post = Post(database)
    good = batch(EPOCH, press(0)).encode()
    for topic in (
        "",
        "hymio/1/up/",
        "hymio/2/up/x/answers",
        f"hymio/1/up/{a.id}/answers/x",
        f"hymio/1/up/{a.id}/new",
    ):
        post.collector.offer(topic, good)
    assert (post.collector.waiting, post.collector.dropped) == (0, 0)
    strangers = [Incoming(name, "answers", good) for name in ("unknown00000", "", "x" * 500, "\0", b.id)]
    assert post.process(*strangers, Incoming(a.id, "answers", good)) == [a.down("receipt")]
    assert (presses(database, a), presses(database, b)) == (1, 0)


@pytest.mark.parametrize("what", ["answers", "report", "state", "log"])
def test_what_is_too_long_is_kept_cut_and_books_nothing(kiosks: Pair, database: Database, what: str) -> None:
    a, b = kiosks
    post = Post(database)
    whole, limit = batch(EPOCH, press(0)).encode(), module.MOST_BYTES
    long = whole + bytes(limit)
    post.offer(Incoming(a.id, what, long), answers(b, batch(EPOCH, press(0))))
    post.collector.offer(f"hymio/1/up/{a.id}/{what}", whole, 100_000_000)  # only the beginning came
    post.collector.start()
    post.collector.stop()
    assert [topic for topic, _ in post.sent] == [b.down("receipt")]
    assert (presses(database, a), presses(database, b), post.collector.dropped) == (0, 1, 0)
    with database.read() as session:
        rows = quarantine.list_of(session, a.id)
        assert [row.raw for row in rows] == [whole, long[:limit]]
        assert "100000000 bytes" in rows[0].reason
        assert f"{len(long)} bytes" in rows[1].reason


@pytest.mark.parametrize(
    "state",
    [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"state":"ready"}', b'{"state":"ready","conn":-1,"next":5}',
     b'{"state":"away","conn":1,"next":5}', b'{"state":"ready","conn":1,"next":1e999}', b"[" * 4000, b"9" * 5000,
     b'{"state":"ready","conn":99999999999999999999,"next":5}', b'{"state":["x"],"conn":1}', b'{"state":{},"conn":1}'],
)  # fmt: skip
def test_a_state_that_makes_no_sense_changes_nothing_and_is_kept(
    kiosks: Pair, database: Database, state: bytes
) -> None:
    a, b = kiosks
    post = Post(database)
    post.process(Incoming(a.id, "state", state), answers(b, batch(EPOCH, press(0))))
    assert kept(database, a) == [state]
    assert presses(database, b) == 1
    with database.read() as session:
        device = session.get(Device, a.id)
        assert device is not None
        assert device.connection == 0


@pytest.mark.parametrize(
    "report",
    [b"", b"3", b"\xff", b"{", b'{"epochs":7}', b'{"epochs":[[1,2]]}', b'{"health":5}', b'{"want":"../etc"}',
     b'{"health":{"heap":"much","fill":NaN}}', b'{"desired":-1}', b'{"desired":1e400}', b'{"sets":[["a",1]]}',
     b'{"firmware":"\\ud800"}', b'{"update":' + b"[" * 900 + b"]" * 900 + b"}", b'{"running":true}',
     b'{"uptime":' + b"9" * 4200 + b"}", b'{"health":{"buttons":[1,99,"x"]}}', b'{"model":["x"]}'],
)  # fmt: skip
def test_a_report_that_makes_no_sense_is_kept_raw_and_stops_nobody(
    kiosks: Pair, database: Database, report: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = kiosks
    post = Post(database)
    sent = post.process(Incoming(a.id, "report", report), answers(b, batch(EPOCH, press(0))))
    assert b.down("receipt") in sent
    assert "Traceback" not in caplog.text
    if report != b'{"uptime":' + b"9" * 4200 + b"}":  # an unknown key with a mad value is nobody's business
        assert kept(database, a) == [report]
    assert post.process(said(a, "report", {"v": 1})) == [a.down("desired")]
