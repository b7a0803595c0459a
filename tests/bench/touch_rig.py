"""A touch kiosk as a whole over TLS, its broker and a scripted server: for figures of heap and time.

The visitor is that of the end-to-end test: it touches what the kiosk says is there.
"""

import dataclasses
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view
from provisioning.firmware_files import firmware_files
from provisioning.identity import Identity
from provisioning.image import build_image
from tests.e2e.touch_visitor import Visitor
from tests.firmware.front.kiosk_rig import DEVICE, Kiosk, Server, until, view_bytes
from tests.firmware.net.test_tls import sign

READY_SET, LARGEST_SET = 7, 17
MOST_BYTES = 16_384  # of a set as a touch kiosk takes it
FRAME_BYTES = 480 * 320 * 2


class TouchKiosk(Kiosk):
    """What a Visitor needs of a kiosk: `status` and `touch`."""

    def status(self) -> dict[str, Any]:
        return {"show": dict(self.shown), "frame": self.frames}

    def touch(self, x: int, y: int, ms: int) -> None:
        self.say(touch=[x, y], ms=ms)

    @property
    def short(self) -> list[str]:
        """What it said of a want of memory."""
        return [line for line in list(self.lines) if "emory" in line or "no room" in line]


class TouchWorld:
    """`kiosk` is switched off; its flash is as it leaves the workshop."""

    def __init__(self, folder: Path, port: int, secure_port: int, ca: bytes) -> None:
        self.server = Server(port)
        self._identity = Identity(DEVICE, "0" * 64, "127.0.0.1", secure_port, tls=True, ca=ca)
        self.kiosk = TouchKiosk(folder / "flash.img")
        self.kiosk.frame = folder / "frame.bin"
        self.kiosk.frame.write_bytes(bytes(FRAME_BYTES))
        self.ready_set = view(next(one for one in national_sets() if one["number"] == READY_SET), "touch")
        self.server.views = {READY_SET: view_bytes(self.ready_set)}

    def image(self, files: dict[str, bytes] | None = None) -> bytes:
        """The flash of a kiosk that has no set yet; `files` take the place of the firmware's."""
        firmware = firmware_files("unix", model="touch")
        firmware = dataclasses.replace(firmware, files={**firmware.files, **(files or {})})
        return build_image(firmware, self._identity, "touch").content

    def visit(self, shown: dict[str, Any]) -> None:
        """One visitor who answers everything and writes: the longest way through the ready-made set."""
        visitor = Visitor(self.kiosk, shown)  # type: ignore[arg-type]
        visitor.arrive()
        visitor.answer(3)  # NPS
        while visitor.asked()["type"] == "agree5":
            visitor.answer(1)
        visitor.answer(0)  # PEI
        visitor.answer(2)  # an idea
        visitor.write("Tack š 1!")
        visitor.until(lambda show: show["page"] == "thanks", "thanks")

    def booked(self) -> None:
        until(lambda: self.kiosk.journal.get("waiting") == 0, "all booked", log=self.kiosk.lines)


@contextmanager
def touch_world() -> Iterator[TouchWorld]:
    """A broker that speaks TLS to the kiosk and plainly to the server."""
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    ca = sign("our CA", None)
    signed = sign("broker", ca, "127.0.0.1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "server.pem").write_bytes(signed.certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "server.key").write_bytes(
            signed.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        config = folder / "mosquitto.conf"
        config.write_text(
            f"user root\nallow_anonymous true\nlistener {ports[0]} 127.0.0.1\nset_tcp_nodelay true\n"
            f"listener {ports[1]} 127.0.0.1\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n"
        )
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        broker = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        world = TouchWorld(folder, *ports, ca.der())
        try:
            yield world
        finally:
            world.kiosk.cut()
            world.server.close()
            broker.terminate()
            broker.wait(5)


def largest_set(ready: dict[str, Any]) -> dict[str, Any]:
    """The ready-made set in more languages, and a name as long as it takes, until it has MOST_BYTES bytes."""
    found: dict[str, Any] = json.loads(json.dumps(ready))
    found["number"] = LARGEST_SET
    for code in ("se", "smn", "sms", "de", "et", "ru"):
        more: dict[str, Any] = json.loads(json.dumps(found))
        more["languages"].append(code)
        for texts in _texts(more):
            texts[code] = texts["fi"]
        if len(view_bytes(more)) > MOST_BYTES:
            break
        found = more
    found["name"] += "x" * (MOST_BYTES - len(view_bytes(found)))
    return found


def _texts(view: dict[str, Any]) -> list[dict[str, Any]]:
    """All that is said in each language."""
    questions = view["questions"]
    labels = [one["labels"] for one in questions if "labels" in one]
    return [view["thanks"], *view["words"].values(), *[one["text"] for one in questions], *labels]
