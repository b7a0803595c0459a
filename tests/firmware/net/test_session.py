"""The kiosk's connection on MicroPython: against Mosquitto, against brokers that misbehave, against none."""

import hashlib
import json
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.evidence import note
from tests.firmware.net.support import set_view

DOWN = b"hymio/1/down/kiosk0000001/"
CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x05\x00\x01\x00\x00\x00"


def publish(topic: bytes, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + payload
    size, length = len(body), b""
    while True:
        size, low = size >> 7, size & 0x7F
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return b"\x30" + length + body


def greet(connection: socket.socket) -> None:
    """Let a kiosk in and take its subscription."""
    connection.recv(1024)
    connection.sendall(CONNACK)
    connection.recv(1024)
    connection.sendall(SUBACK)


def online(event: dict[str, Any]) -> bool:
    return event.get("status") == "online"


def drain(kiosk: Any) -> None:
    """Returns when every record has its receipt."""
    deadline = time.monotonic() + 10
    while kiosk.tell()["waiting"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_report_questions_ready_then_batches(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    kiosk = start_kiosk(broker.port)
    assert fleet.wait("answers").question
    ready = fleet.wait("state")
    assert [name for name, _ in fleet.heard] == ["report", "answers", "state"]
    assert ready == {"state": "ready", "conn": (1 << 16) + 1, "next": 960}
    kiosk.send(press=20)
    while len(fleet.server.books.get(fleet.server.epoch, ())) < 20:
        fleet.wait("answers")
    drain(kiosk)
    told = kiosk.tell()
    utc_ms, uncertainty_ms = told["clock"]
    assert abs(utc_ms - time.time() * 1000) < uncertainty_ms + 1000


def test_the_report_says_what_the_contract_lists(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    start_kiosk(broker.port)
    report = fleet.wait("report")
    assert set(report) == {
        "v", "board", "model", "firmware", "build", "slot", "desired", "update", "sets", "running", "want",
        "card", "said", "epochs", "health",
    }  # fmt: skip
    assert set(report["health"]) == {
        "reset", "signal", "supply", "heap", "flash", "fill", "clock", "temperature", "buttons", "ignored",
        "slow", "dropped", "unreadable", "uptime",
    }  # fmt: skip
    assert report["health"]["heap"] > 10_000
    assert report["health"]["flash"] > 10_000
    assert len(report["epochs"]) == 1


def test_a_question_set_is_asked_for_by_its_hash_and_runs_when_it_came(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    kiosk = start_kiosk(broker.port)
    fleet.wait("state")
    view = set_view(14)
    entry = {"number": 14, "hash": hashlib.sha256(view).hexdigest(), "from": None, "to": None, "hours": None}
    desired = {"version": 5, "sets": [entry], "offset": [[0, 120]], "settings": {}, "firmware": None}
    fleet.send("desired", json.dumps(desired).encode())
    report = fleet.wait("report", lambda report: report["want"])
    assert (report["want"], report["desired"]) == (entry["hash"], 5)
    assert report["update"] == {"version": 5, "result": "ok", "reason": ""}
    fleet.send("set", view)
    report = fleet.wait("report", lambda report: report["running"])
    assert (report["running"], report["want"], report["sets"]) == (14, None, [[14, entry["hash"]]])
    assert kiosk.tell()["running"] == 14
    # A set that this kiosk cannot show is refused with its reason, and the old one stays.
    bad = set_view(15, scale="smiley4")
    entry = {**entry, "number": 15, "hash": hashlib.sha256(bad).hexdigest()}
    fleet.send("desired", json.dumps({**desired, "version": 6, "sets": [entry]}).encode())
    fleet.wait("report", lambda report: report["want"] == entry["hash"])
    fleet.send("set", bad)
    report = fleet.wait("report", lambda report: report["update"]["result"] == "refused")
    assert report["update"]["reason"] == "question set 15: question 'K4-H' has 4 answers, this kiosk 5 faces"
    assert (report["running"], report["want"]) == (14, None)


@pytest.mark.parametrize("blocked", ["part", "%s.new"])
def test_a_set_that_finds_no_room_is_logged_and_the_connection_stays(
    blocked: str, fleet: Any, broker: Any, start_kiosk: Callable[..., Any], tmp_path: Path
) -> None:
    kiosk = start_kiosk(broker.port)
    fleet.wait("state")
    view = set_view(14)
    entry = {"number": 14, "hash": hashlib.sha256(view).hexdigest(), "from": None, "to": None, "hours": None}
    if "%" in blocked:
        blocked %= entry["hash"]
    obstacle = tmp_path / "root/state/sets" / blocked  # a folder of that name: the file cannot be made
    obstacle.mkdir()
    desired = {"version": 5, "sets": [entry], "offset": [], "settings": {}, "firmware": None}
    fleet.send("desired", json.dumps(desired).encode())
    fleet.wait("report", lambda report: report["want"])
    fleet.send("set", view)
    said = kiosk.wait(lambda event: "log" in event)["log"]
    assert said.startswith("question set: cannot be stored (")
    obstacle.rmdir()
    fleet.send("set", view)  # asked for still
    report = fleet.wait("report", lambda report: report["running"])
    assert (report["running"], report["want"]) == (14, None)
    kiosk.tell()
    assert [event["status"] for event in kiosk.events if "status" in event].count("offline") <= 1


def test_a_restart_goes_on_with_the_set_and_the_version_it_had(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    kiosk = start_kiosk(broker.port)
    view = set_view(14)
    entry = {"number": 14, "hash": hashlib.sha256(view).hexdigest(), "from": None, "to": None, "hours": None}
    desired = {"version": 5, "sets": [entry], "offset": [], "settings": {"keepalive_s": 20}, "firmware": None}
    fleet.wait("state")
    fleet.send("desired", json.dumps(desired).encode())
    fleet.wait("report", lambda report: report["want"])
    fleet.send("set", view)
    fleet.wait("report", lambda report: report["running"] == 14)
    kiosk.stop()
    start_kiosk(broker.port)
    report = fleet.wait("report")
    assert (report["desired"], report["sets"]) == (5, [[14, entry["hash"]]])
    assert fleet.wait("state", lambda state: state["state"] == "ready")["conn"] == (2 << 16) + 1


def test_a_pulled_cable_is_seen_within_one_and_a_half_keepalives(
    fleet: Any, pipe: Any, start_kiosk: Callable[..., Any]
) -> None:
    keepalive_s = 3
    kiosk = start_kiosk(pipe.port, {"keepalive_s": keepalive_s})
    kiosk.wait(online)
    fleet.wait("state")
    time.sleep(1.6 * keepalive_s)  # quiet, but alive: pings keep it
    assert not any(name == "state" and b"lost" in payload for name, payload in fleet.heard)
    pulled = time.monotonic()
    pipe.frozen.set()
    kiosk.send(press=3)
    kiosk.wait(lambda event: event.get("status") == "offline", 1.5 * keepalive_s + 0.5)
    assert time.monotonic() - pulled <= 1.5 * keepalive_s
    assert fleet.wait("state") == {"state": "lost", "conn": (1 << 16) + 1}
    pipe.thaw()
    assert fleet.wait("state")["conn"] > (1 << 16) + 1
    drain(kiosk)
    assert len(fleet.server.books[fleet.server.epoch]) == 3


def test_a_link_that_goes_down_ends_the_session_and_its_return_starts_one_at_once(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    kiosk = start_kiosk(broker.port)
    fleet.wait("state")
    kiosk.send(net=False)
    kiosk.wait(lambda event: event.get("status") == "no-network", 8)
    kiosk.send(net=True)
    kiosk.wait(online, 3)


def test_a_restarted_broker_is_found_again(fleet: Any, broker: Any, start_kiosk: Callable[..., Any]) -> None:
    kiosk = start_kiosk(broker.port)
    kiosk.wait(online)
    broker.stop()
    kiosk.wait(lambda event: event.get("status") == "offline", 3)
    broker.start()
    kiosk.wait(online, 10)


def test_messages_that_are_too_large_are_read_and_forgotten(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    kiosk = start_kiosk(broker.port)
    fleet.wait("state")
    for name in ("receipt", "desired", "set", "nonsense"):
        fleet.send(name, bytes(random.Random(1).randbytes(200_000)))
    kiosk.send(press=1)
    fleet.wait("answers", lambda batch: batch.count == 1)
    drain(kiosk)
    assert not any(name == "state" and b"lost" in payload for name, payload in fleet.heard)


def test_topics_of_others_and_delivery_byte_by_byte_do_no_harm(
    fake_broker: Callable[..., Any], start_kiosk: Callable[..., Any]
) -> None:
    desired = json.dumps({"version": 77, "sets": [], "offset": [], "settings": {}, "firmware": None}).encode()

    def script(connection: socket.socket) -> None:
        greet(connection)
        stream = publish(b"hymio/1/down/kiosk0000002/desired", desired.replace(b"77", b"99"))
        stream += publish(b"x" * 300, b"y" * 10_000) + publish(b"\xff\xfe", b"") + b"\xd0\x00"
        stream += b"\x32" + publish(DOWN + b"desired", b"\0\1" + desired.replace(b"77", b"11"))[1:]
        stream += publish(DOWN + b"desired", desired)
        connection.sendall(stream[:-400])
        for byte in stream[-400:]:
            connection.sendall(bytes([byte]))
            time.sleep(0.0005)
        while connection.recv(1024):
            pass

    fake = fake_broker(script)
    kiosk = start_kiosk(fake.port)
    kiosk.wait(online)
    deadline = time.monotonic() + 5
    while kiosk.tell()["version"] != 77:
        assert time.monotonic() < deadline
    assert fake.connections == 1


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 77])
def test_a_refusal_is_said_in_words_and_tried_again_later(
    code: int, fake_broker: Callable[..., Any], start_kiosk: Callable[..., Any]
) -> None:
    fake = fake_broker(
        lambda connection: (connection.recv(1024), connection.sendall(b"\x20\x02\x00" + bytes([code])))
    )
    kiosk = start_kiosk(fake.port)
    line = kiosk.wait(lambda event: "refused" in event.get("log", ""))["log"]
    assert f"({code})" in line
    deadline = time.monotonic() + 8
    while fake.connections < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_garbage_ends_a_connection_and_never_the_program(
    fake_broker: Callable[..., Any], start_kiosk: Callable[..., Any]
) -> None:
    dice = random.Random(3)

    def script(connection: socket.socket) -> None:
        connection.recv(1024)
        kind = dice.randrange(4)
        if kind:
            connection.sendall(CONNACK)
        if kind > 1:
            connection.recv(1024)
            connection.sendall(SUBACK)
        if kind > 2:
            connection.sendall(
                publish(DOWN + b"desired", dice.randbytes(50)) + publish(DOWN + b"receipt", b"{}")
            )
        connection.sendall(dice.randbytes(300))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(10_000)

    kiosk = start_kiosk(fake_broker(script).port, run=False)
    kiosk.send(fail=40)
    kiosk.wait(lambda event: "failed" in event, 60)
    kiosk.tell()


@pytest.mark.parametrize("how", ["refused", "closed at once", "reset", "said no", "no MQTT"])
def test_forty_failed_connects_leave_no_descriptor_behind(
    how: str, fake_broker: Callable[..., Any], start_kiosk: Callable[..., Any]
) -> None:
    def script(connection: socket.socket) -> None:
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif how == "said no":
            connection.recv(1024)
            connection.sendall(b"\x20\x02\x00\x05")
        elif how == "no MQTT":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(1024)

    fake = fake_broker(script)
    if how == "refused":
        fake.close()
    kiosk = start_kiosk(fake.port, run=False)
    kiosk.send(fail=10)  # what is made once is made now
    kiosk.wait(lambda event: "failed" in event, 30)
    before = kiosk.tell()
    kiosk.send(fail=40)
    kiosk.wait(lambda event: "failed" in event, 30)
    after = kiosk.tell()
    assert after["fds"] == before["fds"]
    assert after["heap"] < before["heap"] + 4_000


def test_a_crash_report_waits_for_the_connection(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    kiosk = start_kiosk(broker.port)
    kiosk.send(crash="first")
    kiosk.send(crash="last")
    assert fleet.wait("log") == {"task": "test", "trace": "last"}


def test_a_planned_silence_is_announced_and_no_will_follows(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    kiosk = start_kiosk(broker.port)
    fleet.wait("state")
    kiosk.send(leave="sleeping")
    assert fleet.wait("state") == {"state": "sleeping", "conn": (1 << 16) + 1, "next": 3600}
    assert fleet.wait("state")["state"] == "ready", "the test's kiosk does not really sleep"


def test_a_press_never_waits_long_for_the_connection(
    fleet: Any, broker: Any, start_kiosk: Callable[..., Any]
) -> None:
    kiosk = start_kiosk(broker.port)
    fleet.wait("state")
    for _ in range(10):
        kiosk.send(press=150)
        drain(kiosk)
    stalls = [event["stall_us"] for event in kiosk.events if "stall_us" in event]
    # The command that presses 150 times at once is the test's own doing: 150 appends of some 30 us each.
    assert max(stalls) < 50_000, stalls


FAULTS = [
    (step, how)
    for step in ("TCP", "CONNECT", "SUBSCRIBE", "report", "receipt")
    for how in ("freeze", "reset", "close", "garbage")
]


def failing_at(step: str, how: str) -> Callable[[socket.socket], None]:
    """A broker that goes so far and then fails in this way, each time anew."""

    def script(connection: socket.socket) -> None:
        if step != "TCP":
            connection.recv(1024)
        if step in ("SUBSCRIBE", "report", "receipt"):
            connection.sendall(CONNACK)
            connection.recv(1024)
        if step in ("report", "receipt"):
            connection.sendall(SUBACK)
            connection.recv(4096)
        if step == "receipt":
            connection.sendall(publish(DOWN + b"receipt", b'{"server":7,"epoch":1,"nonce"')[:-9])
        if how == "freeze":
            while connection.recv(4096):
                pass
        elif how == "garbage":
            connection.sendall(random.Random(step).randbytes(300))
        elif how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return script


def test_a_press_waits_for_no_connection_however_and_wherever_it_fails(
    fake_broker: Callable[..., Any], start_kiosk: Callable[..., Any]
) -> None:
    """Over real sockets, all failures at once; the loop's longest stall is what a press would wait."""
    kiosks = {}
    for step, how in FAULTS:
        fake = fake_broker(failing_at(step, how))
        kiosks[step, how] = start_kiosk(fake.port, {"keepalive_s": 2}, folder=f"{step}-{how}")
    for _ in range(40):
        for kiosk in kiosks.values():
            kiosk.send(press=1)
        time.sleep(0.1)
    longest = {}
    for case, kiosk in kiosks.items():
        assert kiosk.tell()["waiting"] == 40, "nothing was booked, nothing is lost"
        longest[case] = max(event["stall_us"] for event in kiosk.events if "stall_us" in event)
    assert max(longest.values()) < 50_000, longest
    note(
        "connection frozen, reset, closed or full of garbage over real sockets",
        len(FAULTS),
        "step × way",
        "tests/firmware/net/test_session.py"
        "::test_a_press_waits_for_no_connection_however_and_wherever_it_fails",
        f"the loop was held up for {max(longest.values()) / 1000:.1f} ms at most",
    )
