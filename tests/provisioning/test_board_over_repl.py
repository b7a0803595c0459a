"""An identity over the REPL: MicroPython's unix port on a pty answers as a board does; its `esp32` is a stand-in.

A real ESP32 has not been tried.
"""

import json
import os
import pty
import shutil
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.errors import ProvisioningError
from provisioning.field import board as board_over_repl
from provisioning.field.board import Board, check_chip

IDENTITY = {
    "id": "kiosk0000001",
    "secret": "5e" * 32,
    "host": "broker.example",
    "port": 8883,
    "model": "button5",
}
ESP32 = """
import os
class NVS:
    def __init__(self, namespace):
        assert namespace == 'hymio'
        self._new = {}
    def set_blob(self, key, value):
        self._new[key] = value
    def commit(self):
        for key, value in self._new.items():
            with open(key, 'wb') as file:
                file.write(value)
    def get_blob(self, key, room):
        with open(key, 'rb') as file:
            return file.readinto(room)
"""
MICROPYTHON = shutil.which("micropython", path=str(Path(sys.executable).parent))


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A REPL at a serial port; its NVS are files in tmp_path."""
    assert MICROPYTHON
    (tmp_path / "esp32.py").write_text(ESP32)
    (tmp_path / "machine.py").write_text("def reset():\n    open('was_reset', 'w').close()\n")
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    process = subprocess.Popen(
        [MICROPYTHON, "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env={"MICROPYPATH": str(tmp_path)},
    )
    # The tool opens the other end by its name, as it opens /dev/ttyUSB0: cross the two over.
    near, far = pty.openpty()
    tty.setraw(near)
    tty.setraw(far)
    pump = subprocess.Popen([sys.executable, "-c", PUMP, str(ours), str(near)], pass_fds=(ours, near))
    yield Board(os.ttyname(far))
    for one in (process, pump):
        one.kill()
        one.wait()
    for one in (ours, theirs, near, far):
        os.close(one)


PUMP = """
import os, select, sys
a, b = map(int, sys.argv[1:])
while True:
    for ready in select.select([a, b], [], [])[0]:
        os.write(b if ready == a else a, os.read(ready, 4096))
"""


def test_an_identity_is_written_read_back_and_never_over_another_ones(board: Board, tmp_path: Path) -> None:
    board.fits("button5", "")
    assert board.write(IDENTITY) == f"identity in the NVS of the board at {board.port}"
    assert json.loads((tmp_path / "identity").read_bytes())["secret"] == "5e" * 32
    assert not (tmp_path / "network").exists()
    wifi = {"network": {"ssid": "county", "key": "a b'c\"d\\e"}}
    board.write(IDENTITY | wifi)
    assert json.loads((tmp_path / "network").read_bytes()) == wifi["network"]
    board.fits("button5", IDENTITY["id"])
    with pytest.raises(
        ProvisioningError, match="this board is kiosk kiosk0000001 already and may hold answers"
    ):
        board.fits("button5", "")
    with pytest.raises(ProvisioningError, match="this board is kiosk kiosk0000001 already"):
        board.write(IDENTITY | {"id": "kiosk0000002"})
    board.start()
    end = time.monotonic() + 20
    while not (tmp_path / "was_reset").exists():
        assert time.monotonic() < end, "the board was told to start anew"
        time.sleep(0.02)


def test_what_is_no_micropython_is_a_sentence_and_prints_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the one line of --json would not be one."""
    monkeypatch.setattr(board_over_repl, "REPL_S", 1)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.write(ours, b"rst:0x1 (POWERON_RESET)\r\ninvalid header: 0xffffffff\r\n")
    with pytest.raises(ProvisioningError, match="no MicroPython answers"):
        Board(os.ttyname(theirs)).fits("button5", "")
    assert capsys.readouterr().out == ""
    os.close(ours)
    os.close(theirs)


def test_a_port_that_is_none_is_a_sentence_and_a_chip_that_does_not_fit_is_named() -> None:
    with pytest.raises(
        ProvisioningError, match="^/dev/ttyNONE cannot be opened: there is no such port; is the cable in"
    ):
        Board("/dev/ttyNONE").fits("button5", "")
    check_chip("p", "Generic ESP32 module with ESP32", "button5")
    check_chip("p", "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", "touch")
    with pytest.raises(
        ProvisioningError, match="^model touch does not fit: it is built on ESP32S3, the board at p is ESP32$"
    ):
        check_chip("p", "Generic ESP32 module with ESP32", "touch")
