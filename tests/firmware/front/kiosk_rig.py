"""The whole firmware on its own interpreter, from the flash image a kiosk gets, against a real broker.

The server is scripted and reads batches by the contract's table alone (it shares no code with the firmware):
a fault which both ends had in common would show here.
"""

import hashlib
import json
import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
import pytest
from kiosk.journal import Journal, JournalFull

from provisioning.firmware_files import firmware_root
from provisioning.flash_layout import partition
from provisioning.virtual.folder import DEFAULT_HEAP

DEVICE = "kiosk0000001"
ANSWER, BOOT, CLOCK, REFUSED = 1, 2, 3, 4
WAIT_S = 15
HEAP = os.environ.get("HYMIO_TEST_HEAP", DEFAULT_HEAP)  # what a virtual kiosk has, unless told otherwise
SET_BYTES = 4096  # the largest question set that a button kiosk takes
SETTINGS = {"lockout_ms": 0, "repeat_ms": 0, "thanks_ms": 100}

QUESTION_SET: dict[str, Any] = {
    "number": 14,
    "name": "Exit",
    "languages": ["fi", "sv", "en"],
    "questions": [
        {
            "position": 3,
            "code": "K4-H",
            "type": "smiley5",
            "text": {"fi": "Miten käynti sujui?", "sv": "Hur gick besöket?", "en": "How was your visit?"},
            "labels": {language: ["5", "4", "3", "2", "1"] for language in ("fi", "sv", "en")},
        }
    ],
    "thanks": {"fi": "Kiitos!", "sv": "Tack!", "en": "Thank you!"},
    "button": {"question": 3},
}


def until(true: Callable[[], Any], what: str, within_s: float = WAIT_S, log: list[str] | None = None) -> Any:
    """Poll until `true()` is truthy and return it; fail with `what` and the last lines of `log` otherwise."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.01)
    pytest.fail("\n".join([f"not within {within_s} s: {what}", *(log or [])[-20:]]))


class Record(NamedTuple):
    """The fields of a record, in the order of the contract."""

    kind: int
    flags: int
    seq: int
    boot: int
    uptime: int
    set_number: int
    session: int
    question: int
    language: int
    value: int
    pressed: int
    body: bytes


def largest_set() -> dict[str, Any]:
    """A question set whose view has SET_BYTES bytes and could be published: six languages, texts as long as may be."""
    question: Any = QUESTION_SET["questions"][0]
    languages = ["fi", "sv", "en", "se", "smn", "sms"]
    texts = dict.fromkeys(languages, "")
    view: dict[str, Any] = {**QUESTION_SET, "number": 15, "languages": languages, "thanks": texts}
    view["questions"] = [{**question, "text": texts, "labels": {one: ["x" * 55] * 5 for one in languages}}]
    room = (SET_BYTES - len(view_bytes(view))) // (2 * len(languages))
    assert 100 < room <= 200, "a text has at most 200 characters"
    texts.update(dict.fromkeys(languages, "x" * room))
    view["name"] += "x" * (SET_BYTES - len(view_bytes(view)))
    return view


def view_bytes(view: dict[str, Any]) -> bytes:
    return json.dumps(view, sort_keys=True, separators=(",", ":")).encode()


def digest(view: bytes) -> str:
    return hashlib.sha256(view).hexdigest()


class Server:
    """Books what batches say, answers with receipts, wishes a question set. `mute`: deaf and dumb."""

    def __init__(self, port: int) -> None:
        self.mute = False
        self.ahead_ms = 0  # of this machine's clock
        self.batches = 0
        self.records: dict[tuple[int, int], Record] = {}
        self.booked: dict[int, int] = {}
        self.seen: dict[int, int] = {}
        self.reports: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.logs: list[dict[str, Any]] = []
        self.doubled = 0
        self.version = 1
        self.views = {14: view_bytes(QUESTION_SET)}
        self.settings: dict[str, Any] = dict(SETTINGS)
        self._lock = threading.Lock()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "server")
        self._client.on_message = self._message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("hymio/1/up/#")
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def of_kind(self, kind: int) -> list[Record]:
        """Records booked so far, by seq."""
        with self._lock:
            return [record for _, record in sorted(self.records.items()) if record.kind == kind]

    def refused(self) -> int:
        """Presses that the notes of refusal count."""
        return sum(int.from_bytes(record.body[:2], "little") for record in self.of_kind(REFUSED))

    def answers(self) -> list[Record]:
        return self.of_kind(ANSWER)

    def publish_set(self, view: dict[str, Any]) -> None:
        """Wish another set, as the server does after publishing."""
        self.views = {view["number"]: view_bytes(view)}
        self.version += 1
        self._desire()

    def _message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        if self.mute:
            return
        kind = message.topic.rsplit("/", 1)[1]
        if kind == "answers":
            self._book(message.payload)
        elif kind == "report":
            report = json.loads(message.payload)
            self.reports.append(report)
            if report["desired"] < self.version:
                self._desire()
            for view in self.views.values():
                if report["want"] == digest(view):
                    self._say("set", view)
        elif kind == "state":
            self.states.append(json.loads(message.payload))
        elif kind == "log":
            self.logs.append(json.loads(message.payload))

    def _book(self, batch: bytes) -> None:
        assert zlib.crc32(batch[:-4]) == struct.unpack("<I", batch[-4:])[0]
        version, header, count, epoch, nonce, start, end = struct.unpack_from("<BBHIIII", batch)
        next_seq = struct.unpack_from("<I", batch, 20)[0]
        assert (version, header, len(batch) <= 4096) == (1, 40, True)
        at = header
        with self._lock:
            self.batches += 1
            for _ in range(count):
                length, *fields = struct.unpack_from("<HBBIIIHBBBBH", batch, at)
                end_at = at + length
                assert struct.unpack_from("<I", batch, end_at)[0] == zlib.crc32(batch[at:end_at], epoch)
                record = Record(*fields, batch[at + 24 : end_at])
                assert start <= record.seq < end
                known = self.records.setdefault((epoch, record.seq), record)
                assert known == record, "one (epoch, seq), two contents"
                at += (length + 4 + 3) // 4 * 4
            assert at == len(batch) - 4
            through = self.booked.get(epoch, 0)
            if start <= through < end:
                self.booked[epoch] = through = end
            self.seen[epoch] = seen = max(self.seen.get(epoch, 0), next_seq)
        receipt = {
            "server": 1,
            "epoch": epoch,
            "nonce": nonce,
            "through": through,
            "seen": seen,
            "fork": False,
        }
        now = {"time": time.time_ns() // 1_000_000 + self.ahead_ms, "rejected": []}
        self._say("receipt", json.dumps(receipt | now).encode())

    def _desire(self) -> None:
        sets = [
            {"number": number, "hash": digest(view), "from": None, "to": None, "hours": None}
            for number, view in self.views.items()
        ]
        wish = {
            "version": self.version,
            "sets": sets,
            "offset": [],
            "settings": self.settings,
            "firmware": None,
        }
        self._say("desired", json.dumps(wish).encode())

    def _say(self, kind: str, content: bytes) -> None:
        self._client.publish(f"hymio/1/down/{DEVICE}/{kind}", content)


class Kiosk:
    """One MicroPython process on a flash image, with its control lines."""

    def __init__(self, flash: Path) -> None:
        self.flash = flash
        self.frame: Path | None = None  # the file that a screen shows itself in
        self.refreshes = [0, 0]  # of e-paper: partial, full
        self.frames = 0  # updates of a screen that are over
        self.process: subprocess.Popen[bytes] | None = None
        self.lights: list[int] = []
        self.sounds: list[tuple[float, str]] = []
        self.screens: list[str] = []
        self.shown: dict[str, Any] = {}
        self.journal: dict[str, int] = {}
        self.lines: list[str] = []
        self.light_times: list[tuple[float, list[int]]] = []
        self.env: dict[str, str] = {}
        self.sleeps: list[
            dict[str, int]
        ] = []  # each time it lay down: for how long, which buttons may wake it
        self._reader: threading.Thread | None = None

    def on(self, heap: str = HEAP, cause: int | str = 1) -> None:
        self.screens.clear()
        self.shown.clear()
        command = [sys.executable, "-S", "-E", "-c"]
        launch = "import sys; sys.path.insert(0, sys.argv[1]); import micropython_run as m; " \
                 "sys.exit(m.run_main(['micropython', *sys.argv[2:]]))"  # fmt: skip
        folder = os.path.dirname(__import__("micropython_run").__file__)
        boot = firmware_root() / "boards" / "unix_boot.py"
        more = [str(cause)] if self.frame is None else [str(cause), str(self.frame)]
        self.process = subprocess.Popen(
            [*command, launch, folder, "-X", f"heapsize={heap}", str(boot), str(self.flash), *more],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **self.env},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()

    def cut(self) -> None:
        """The power fails."""
        if self.process:
            self.process.kill()
            self.process.wait()
            if self._reader:
                self._reader.join(2)

    def say(self, **command: Any) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def press(self, face: int, **more: Any) -> None:
        """Press as a person does: wait for the thank-you. Fails when there is none."""
        before = self.thanks
        self.say(press=face, ms=60, **more)
        until(lambda: self.thanks > before, f"thanks for face {face}", log=self.lines)
        until(lambda: not any(self.lights), "lights out")

    @property
    def thanks(self) -> int:
        return [name for _, name in self.sounds].count("thanks")

    def ready(self) -> None:
        until(lambda: "ready" in self.screens[-1:], "screen 'ready'", log=self.lines)
        until(lambda: self.shown.get("status") == "online", "online", log=self.lines)

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout
        for raw in process.stdout:
            if not raw.endswith(b"\n"):
                return  # the power failed in the middle of a line
            line = raw.decode(errors="replace").rstrip()
            if not line.startswith("\x1e"):
                self.lines.append(line)
                continue
            event = json.loads(line[1:])
            now = time.monotonic()
            if "light" in event:
                self.lights = event["light"]
                self.light_times.append((now, event["light"]))
            elif "sound" in event:
                self.sounds.append((now, event["sound"]))
            elif "sleep" in event:
                self.sleeps.append(event)
            elif "journal" in event:
                self.journal = event["journal"]
            elif "refreshes" in event:
                self.refreshes = event["refreshes"]
                self.frames = event["frame"]
            elif "show" in event:
                self.shown.update(event["show"])
                if "screen" in event["show"]:
                    self.screens.append(event["show"]["screen"])


class FlashFile:
    """The journal partition of an image as a block device, for what a test puts there beforehand."""

    def __init__(self, flash: Path, sectors: int) -> None:
        self._flash = flash
        self._base = partition("journal").offset
        self._sectors = sectors
        self._content = bytearray(flash.read_bytes()[self._base : self._base + 4096 * sectors])

    def readblocks(self, block: int, buf: Any, off: int = 0) -> None:
        at = block * 4096 + off
        buf[:] = self._content[at : at + len(buf)]

    def writeblocks(self, block: int, buf: Any, off: int = 0) -> None:
        at = block * 4096 + off
        for i, byte in enumerate(bytes(buf)):
            self._content[at + i] &= byte

    def ioctl(self, op: int, block: int) -> int:
        if op == 6:
            self._content[block * 4096 : block * 4096 + 4096] = b"\xff" * 4096
        return self._sectors if op == 4 else 4096 if op == 5 else 0

    def save(self) -> None:
        with self._flash.open("r+b") as image:
            image.seek(self._base)
            image.write(self._content)


def press_beforehand(kiosk: Kiosk, presses: int | None, sectors: int = 256) -> int:
    """Put answers of an earlier life into the journal (None: as many as it takes); returns how many."""
    flash = FlashFile(kiosk.flash, sectors)
    journal = Journal(flash, os.urandom)
    done = 0
    try:
        while done != presses:
            journal.append(ANSWER, set_number=14, question=3, value=1 + done % 5, uptime=done)
            done += 1
    except JournalFull:
        pass
    flash.save()
    return done


def shrink_journal(kiosk: Kiosk, sectors: int) -> None:
    """Make the journal partition small, so that a test can fill it."""
    table = 0x8000
    image = bytearray(kiosk.flash.read_bytes())
    row = partition("journal")
    for at in range(table, table + 0xC00, 32):
        if image[at + 12 : at + 19] == b"journal":
            struct.pack_into("<II", image, at + 4, row.offset, sectors * 4096)
            kiosk.flash.write_bytes(image)
            return
    raise AssertionError("no journal partition")
