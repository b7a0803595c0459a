"""The whole firmware on its own interpreter, from the flash image a kiosk gets, against a real broker.

The server is scripted and reads batches by the contract's table alone (it shares no code with the firmware), so that
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
from typing import Any

import paho.mqtt.client as paho
import pytest

from provisioning.firmware_files import firmware_root
from provisioning.flash_layout import partition

DEVICE = "kiosk0000001"
WAIT_S = 15
SETTINGS = {"lockout_ms": 0, "repeat_ms": 0}

QUESTION_SET = {
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


class Server:
    """Books what batches say and answers with receipts, wishes one question set. `mute`: hears and says nothing."""

    def __init__(self, port: int) -> None:
        self.mute = False
        self.batches = 0
        self.records: dict[tuple[int, int], tuple[Any, ...]] = {}
        self.booked: dict[int, int] = {}
        self.seen: dict[int, int] = {}
        self.reports: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.logs: list[dict[str, Any]] = []
        self.doubled = 0
        self.version = 1
        self.views = {14: json.dumps(QUESTION_SET, sort_keys=True, separators=(",", ":")).encode()}
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

    def answers(self) -> list[tuple[Any, ...]]:
        """Records of kind 1 in the order of their seq."""
        with self._lock:
            return [record for _, record in sorted(self.records.items()) if record[0] == 1]

    def of_kind(self, kind: int) -> list[tuple[Any, ...]]:
        with self._lock:
            return [record for record in self.records.values() if record[0] == kind]

    def publish_set(self, view: dict[str, Any]) -> None:
        """Wish another set, as the server does after publishing."""
        self.views = {view["number"]: json.dumps(view, sort_keys=True, separators=(",", ":")).encode()}
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
                if report["want"] == hashlib.sha256(view).hexdigest():
                    self._say("set", view)
        elif kind == "state":
            self.states.append(json.loads(message.payload))
        elif kind == "log":
            self.logs.append(json.loads(message.payload))

    def _book(self, batch: bytes) -> None:
        assert zlib.crc32(batch[:-4]) == struct.unpack("<I", batch[-4:])[0]
        version, header, count, epoch, nonce, start, end = struct.unpack_from("<BBHIIII", batch)
        next_seq = struct.unpack_from("<I", batch, 20)[0]
        assert (version, header) == (1, 40) and len(batch) <= 4096
        at = header
        with self._lock:
            self.batches += 1
            for _ in range(count):
                length, kind, flags, seq, boot, uptime, number, session, question, language, value, pressed = (
                    struct.unpack_from("<HBBIIIHBBBBH", batch, at)
                )
                assert struct.unpack_from("<I", batch, at + length)[0] == zlib.crc32(batch[at : at + length], epoch)
                record = (kind, flags, seq, boot, uptime, number, session, question, language, value, pressed)
                assert start <= seq < end
                body = batch[at + 24 : at + length]
                known = self.records.setdefault((epoch, seq), (*record, body))
                assert known == (*record, body), "one (epoch, seq), two contents"
                at += (length + 4 + 3) // 4 * 4
            assert at == len(batch) - 4
            through = self.booked.get(epoch, 0)
            if start <= through < end:
                self.booked[epoch] = through = end
            self.seen[epoch] = seen = max(self.seen.get(epoch, 0), next_seq)
        self._say_json("receipt", server=1, epoch=epoch, nonce=nonce, through=through, seen=seen, fork=False,
                       time=time.time_ns() // 1_000_000, rejected=[])  # fmt: skip

    def _desire(self) -> None:
        sets = [
            {"number": number, "hash": hashlib.sha256(view).hexdigest(), "from": None, "to": None, "hours": None}
            for number, view in self.views.items()
        ]
        self._say_json("desired", version=self.version, sets=sets, offset=[], settings=self.settings, firmware=None)

    def _say_json(self, kind: str, **content: Any) -> None:
        self._say(kind, json.dumps(content).encode())

    def _say(self, kind: str, content: bytes) -> None:
        self._client.publish(f"hymio/1/down/{DEVICE}/{kind}", content)


class Kiosk:
    """One MicroPython process on a flash image, with its control lines."""

    def __init__(self, flash: Path) -> None:
        self.flash = flash
        self.process: subprocess.Popen[bytes] | None = None
        self.lights: list[int] = []
        self.sounds: list[tuple[float, str]] = []
        self.screens: list[str] = []
        self.shown: dict[str, Any] = {}
        self.journal: dict[str, int] = {}
        self.lines: list[str] = []
        self.light_times: list[tuple[float, list[int]]] = []
        self._reader: threading.Thread | None = None

    def on(self, heap: str = "256K", cause: int = 1) -> None:
        self.screens.clear()
        self.shown.clear()
        command = [sys.executable, "-S", "-E", "-c"]
        launch = "import sys; sys.path.insert(0, sys.argv[1]); import micropython_run as m; " \
                 "sys.exit(m.run_main(['micropython', *sys.argv[2:]]))"  # fmt: skip
        folder = os.path.dirname(__import__("micropython_run").__file__)
        boot = firmware_root() / "boards" / "unix_boot.py"
        self.process = subprocess.Popen(
            [*command, launch, folder, "-X", f"heapsize={heap}", str(boot), str(self.flash), str(cause)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
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
        assert self.process and self.process.stdin
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
            elif "journal" in event:
                self.journal = event["journal"]
            elif "show" in event:
                self.shown.update(event["show"])
                if "screen" in event["show"]:
                    self.screens.append(event["show"]["screen"])


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
