"""A stand-in firmware that says what its board gives it, and kiosks that end with their test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning.identity import Identity
from provisioning.virtual.client import VirtualKiosk

BOARD = """
import asyncio, json, sys
faces = 5
def attach(flash, nvs):
    globals()['flash'] = flash
    globals()['identity'] = json.loads(nvs('hymio', 'identity'))
def emit(event):
    print('\\x1e' + json.dumps(event))
"""

APP = """
import asyncio, errno, json, os, sys
from kiosk.marker import MARKER

def run(board):
    boots = 1
    try:
        with open('/boots') as file:
            boots = int(file.read()) + 1
    except OSError:
        pass
    with open('/boots', 'w') as file:
        file.write(str(boots))
    print('console: hello')
    root = sorted(os.listdir('/'))
    board.emit({'show': {'boots': boots, 'cause': sys.argv[2], 'marker': MARKER, 'root': root}})
    board.emit({'journal': {'pressed': count(board)}})
    asyncio.run(listen(board))

def count(board):
    held = bytearray(64)
    board.flash.readblocks(0, held, 0)
    return sum(byte != 0xFF for byte in held)

async def listen(board):
    lines = asyncio.StreamReader(sys.stdin)
    while True:
        line = await lines.readline()
        if not line:
            sys.exit(0)
        command = json.loads(line)
        if 'press' in command:
            board.flash.writeblocks(0, bytes([command['press']]), count(board))
            board.emit({'light': [int(face == command['press']) for face in range(5)]})
            board.emit({'journal': {'pressed': count(board), 'simulated': command['simulated']}})
        elif 'net' in command:
            board.emit({'show': {'net': command['net']}})
        elif command.get('hold') == 0:
            sys.exit(75)
        elif command.get('hold') == 1:
            raise ValueError('the firmware broke')
        elif command.get('hold') == 2:
            asyncio.create_task(talk(board))

async def talk(board):
    reader, writer = await asyncio.open_connection(board.identity['host'], board.identity['port'])
    try:
        writer.write(b'hello\\n')
        await writer.drain()
        while True:
            line = await reader.readline()
            board.emit({'show': {'heard': line.decode()}})
            if not line:
                break
    except OSError as error:
        board.emit({'show': {'heard': errno.errorcode.get(error.errno, str(error))}})
"""


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    """A firmware folder small enough to reason about."""
    root = tmp_path / "firmware"
    for name, text in {
        "boot.py": "",
        "main.py": "import board\nfrom kiosk.app import run\nrun(board)\n",
        "boards/unix.py": BOARD,
        "kiosk/app.py": APP,
        "kiosk/marker.py": "MARKER = 'first'\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def identity() -> Identity:
    return Identity(id="kiosk0000001", secret="5e" * 32, host="127.0.0.1", port=9)


@pytest.fixture
def make_kiosk(tmp_path: Path, firmware: Path, identity: Identity) -> Iterator[Callable[..., VirtualKiosk]]:
    """Makes kiosks that run the stand-in firmware; stops them in the end."""
    made: list[VirtualKiosk] = []

    def make(name: str = "lobby", **options: Any) -> VirtualKiosk:
        kiosk = VirtualKiosk.create(
            tmp_path / "kiosks", name, options.pop("identity", identity), firmware=firmware, **options
        )
        made.append(kiosk)
        return kiosk

    yield make
    for kiosk in made:
        if kiosk.running:
            kiosk.stop()
