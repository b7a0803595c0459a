"""A board on a test bench: MicroPython's unix port behind a serial port, with the virtual board's buttons, screen and
flash, and somebody with fingers. Its `esp32` is a stand-in; partitions are those of a flash image.
"""

import contextlib
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning.firmware_files import bench_files, firmware_root
from provisioning.flash_layout import FLASH_BYTES, LAYOUT, TABLE_OFFSET, encode

MICROPYTHON = Path(sys.executable).with_name("micropython")

# The chip's modules: flash is NOR, and remembers in `stuck` which bits cannot be set any more.
ESP32 = """
import json
from struct import unpack_from
class NVS:
    def __init__(self, namespace): pass
    def get_blob(self, key, room):
        with open(key, 'rb') as file:
            return file.readinto(room)
class Partition:
    TYPE_APP, TYPE_DATA = 0, 1
    def __init__(self, row):
        self.row = row
        self.file = open('flash.img', 'r+b')
        with open('stuck') as file:
            self.stuck = {int(at): mask for at, mask in json.load(file).items()}
    def info(self):
        return self.row + (False,)
    @staticmethod
    def find(kind, subtype=0xff, label=None):
        found = []
        with open('flash.img', 'rb') as file:
            file.seek(0x8000)
            table = file.read(0xc00)
        for at in range(0, len(table), 32):
            magic, type, sub, offset, size = unpack_from('<HBBII', table, at)
            if magic != 0x50aa:
                break
            name = table[at + 12 : at + 28].split(b'\\0')[0].decode()
            if type == kind and subtype in (0xff, sub) and label in (None, name):
                found.append(Partition((type, sub, offset, size, name)))
        return found
    def readblocks(self, block, buf, at):
        self.file.seek(self.row[2] + 4096 * block + at)
        self.file.readinto(buf)
    def put(self, at, data):
        self.file.seek(at)
        self.file.write(bytes(byte & ~self.stuck.get(at + i, 0) for i, byte in enumerate(data)))
    def writeblocks(self, block, buf, at):
        held = bytearray(len(buf))
        self.readblocks(block, held, at)
        self.put(self.row[2] + 4096 * block + at, bytes(a & b for a, b in zip(held, buf)))
    def ioctl(self, op, block):
        assert op == 6
        self.put(self.row[2] + 4096 * block, b'\\xff' * 4096)
"""
NETWORK = """
STA_IF = 0
class WLAN:
    def __init__(self, interface): self.on = False
    def active(self, on=None):
        self.on = self.on if on is None else on
        return self.on
    def scan(self):
        assert self.on
        return [(b'weak', b'', 1, -80), (b'county', b'', 6, -61), (b'guests', b'', 6, -67)]
"""
# The virtual board, its host replaced by two files: orders come from one, events go to the other.
BOARD = """
import asyncio, json
import unix_board as unix
from unix_board import *
events = open('events', 'a')
orders = open('orders')
def emit(event):
    events.write(json.dumps(event) + '\\n')
    events.flush()
unix._emit = emit
with open('model') as file:
    unix.attach(None, lambda space, key: json.dumps({'model': file.read()} if key == 'identity' else {}).encode())
model, faces = unix.model, unix.faces
screen = 'none'
if not model.startswith('card'):
    import unix_display
    unix_display.plug(unix, open('frame', 'r+b'))
    display, screen = unix.display, unix.screen
def obey():
    while True:
        line = orders.readline()
        if not line:
            break
        unix.command(json.loads(line))
    if unix.display:
        unix.display.tick()
def pressed():
    obey()
    return unix.pressed()
class Glass:
    fault = None
    def read(self):
        obey()
        return unix.touch.read()
touch = Glass() if screen == 'touch' else None
async def background(beat):
    await asyncio.sleep(60)  # standard input is the REPL's here
"""


class Bench:
    """One board. `port` is where the tool finds it; `finger` is what somebody does who sees a light or a square."""

    def __init__(self, folder: Path, model: str = "button5", start: str = "") -> None:
        """start: a program that runs before the prompt; without one the board is the virtual one."""
        self.folder = folder
        self.finger: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda event: []
        self._parts(model, virtual=not start)
        (folder / "start.py").write_text(start)
        ours, theirs = pty.openpty()
        # The tool opens the other end by its name, as it opens /dev/ttyUSB0: cross the two over.
        near, far = pty.openpty()
        for end in (theirs, near, far):
            tty.setraw(end)
        self.port = os.ttyname(far)
        self._ends = {ours, theirs, near, far}
        self._near, self._far = near, far
        self._process = subprocess.Popen(
            [MICROPYTHON, "-i", "start.py"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={"MICROPYPATH": f"{folder}:.frozen"},
        )
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._carry, args=(ours, near)),
            threading.Thread(target=self._watch),
        ]
        for thread in self._threads:
            thread.start()

    def _parts(self, model: str, virtual: bool) -> None:
        put = {
            "esp32.py": ESP32,
            "network.py": NETWORK,
            "stuck": "{}",
            "model": model,
            "orders": "",
            "events": "",
        }
        put["machine.py"] = "def unique_id():\n    return b'\\x24\\x0a\\xc4\\x00\\x00\\x07'\n"
        if virtual:
            put["board.py"] = BOARD
            for path, content in bench_files("unix", model).items():
                if path != "/acceptance.mpy":
                    target = self.folder / path.strip("/").replace("board", "unix_board")
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(content)
            for name in ("unix_display.py", "unix_touch.py"):
                shutil.copy(firmware_root() / "boards" / name, self.folder / name)
        for name, text in put.items():
            (self.folder / name).write_text(text)
        (self.folder / "frame").write_bytes(bytes(480 * 320 * 2 if model == "touch" else 400 * 300 // 4))
        # Nothing but the scratch sector is blank: whatever else would be erased or written shows.
        flash = bytearray(b"\x5a") * FLASH_BYTES
        flash[TABLE_OFFSET : TABLE_OFFSET + 0xC00] = encode(LAYOUT)
        (self.folder / "flash.img").write_bytes(flash)

    def order(self, *orders: dict[str, Any]) -> None:
        """What somebody does to the board, all at once."""
        with (self.folder / "orders").open("a") as file:
            file.write("".join(json.dumps(one) + "\n" for one in orders))

    def events(self) -> list[dict[str, Any]]:
        """What the board has shown so far."""
        lines = (self.folder / "events").read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def frame(self) -> bytes:
        return (self.folder / "frame").read_bytes()

    def cut(self) -> None:
        """The cable is pulled: both directions are gone, for the tool as well."""
        self._over.set()
        self._threads[0].join()
        os.close(self._near)
        self._ends.discard(self._near)

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._process.kill()
        self._process.wait()
        for end in self._ends:
            os.close(end)

    def _carry(self, ours: int, near: int) -> None:
        while not self._over.is_set():
            for ready in select.select([ours, near], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    os.write(near if ready == ours else ours, os.read(ready, 4096))

    def _watch(self) -> None:
        seen = 0
        while not self._over.is_set():
            events = self.events()
            for event in events[seen:]:
                self.order(*self.finger(event))
            seen = len(events)
            time.sleep(0.01)


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*arguments: Any, **named: Any) -> Bench:
        folder = tmp_path / f"board{len(made)}"
        folder.mkdir()
        made.append(Bench(folder, *arguments, **named))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


def presser(wrong: dict[int, list[dict[str, Any]]] | None = None) -> Callable[[dict[str, Any]], list[Any]]:
    """Presses the button whose light shines, and no other; wrong: what is done instead at some."""
    instead = wrong or {}

    def finger(event: dict[str, Any]) -> list[Any]:
        lit = [face for face, on in enumerate(event.get("light", [])) if on]
        if len(lit) != 1:
            return []
        return instead.get(lit[0], [{"hold": lit[0]}, {"release": lit[0]}])

    return finger
