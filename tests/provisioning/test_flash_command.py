"""`station flash` as a command: which ports there are, what it says, what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from provisioning import many_boards, ports
from provisioning.cli import app
from provisioning.errors import ProvisioningError
from provisioning.flashing import KioskImage
from provisioning.many_boards import Talk
from provisioning.ports import Port
from tests.provisioning.flash_rig import Make, board, quick, write
from tests.provisioning.kiosk_flash import kiosk_id

__all__ = ["board", "quick", "write"]  # fixtures


def test_ports_are_known_by_their_usb_identity_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def usb(device: str, vid: int | None, pid: int | None, location: str | None, serial: str | None) -> Any:
        return SimpleNamespace(device=device, vid=vid, pid=pid, location=location, serial_number=serial)

    there = [
        usb("/dev/ttyUSB0", 0x1A86, 0x7523, "1-2.10", None),
        usb("/dev/ttyUSB1", 0x1A86, 0x7523, "1-2.9", None),
        usb("/dev/ttyACM0", 0x303A, 0x1001, "1-1", "34:85:18:00:00:01"),
        usb("/dev/ttyACM1", 0x2CB7, 0x0001, "1-3", "a modem"),
        usb("/dev/ttyS0", None, None, None, None),
    ]
    assert [port.device for port in ports.find(lambda: there)] == [
        "/dev/ttyACM0",
        "/dev/ttyUSB1",
        "/dev/ttyUSB0",
    ]
    named = ports.chosen(["1-2.10", "34:85:18:00:00:01", "/dev/ttyUSB7", "socket://x:1"], lambda: there)
    assert [port.device for port in named] == ["/dev/ttyUSB0", "/dev/ttyACM0", "/dev/ttyUSB7", "socket://x:1"]
    assert named[0].title == "1-2.10 (/dev/ttyUSB0)"
    with pytest.raises(
        ProvisioningError, match=r"--port 1-9: fits no port; there are: 1-1 \(/dev/ttyACM0\), 1-2.9"
    ):
        ports.chosen(["1-9"], lambda: there)
    with pytest.raises(
        ProvisioningError, match=r"--port /dev/ttyUSB0: 1-2.10 \(/dev/ttyUSB0\) is named twice"
    ):
        ports.chosen(["1-2.10", "/dev/ttyUSB0"], lambda: there)


def station(*words: object, folder: Path) -> Result:
    return CliRunner().invoke(app, ["flash", *map(str, words), "--dir", str(folder)])


def test_the_command_says_how_it_went_in_words_and_as_json(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_boards, "TALK", Talk(0))
    kiosk, one = write(1), board()
    done = station(kiosk.path, "--port", one.port, folder=tmp_path)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"{one.port} 24:0a:c4:00:00:01 {kiosk_id(1)}: written and verified"
    assert lines[1].strip().startswith("by hand: esptool --chip esp32 --port")
    steps = [line.removeprefix(f"{one.port} ") for line in done.stderr.splitlines()]
    assert steps[-3:] == [f"{kiosk_id(1)}: {s}" for s in ("writing", "verifying", "written and verified")]
    assert "\x1b" not in done.stderr + done.stdout
    other = board(chip="esp32s3")
    failed = station(kiosk.path, "--port", other.port, "--json", folder=tmp_path)
    assert failed.exit_code == 1
    assert failed.stderr == ""
    (told,) = json.loads(failed.stdout)["boards"]
    assert (told["state"], told["id"], told["port"]) == ("failed", kiosk_id(1), other.port)
    assert "nothing was written" in told["reason"]


def test_the_command_refuses_what_cannot_be_meant(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk = write(1)
    twin = tmp_path / "twin.img"
    twin.write_bytes(kiosk.content)
    blank = tmp_path / "virtual.img"
    blank.write_bytes(kiosk.content[:0x1000].ljust(0x8000, b"\xff") + kiosk.content[0x8000:])
    monkeypatch.setattr(ports, "find", lambda *_: [])
    for words, said in (
        ((kiosk.path, twin), f"{kiosk.path} and {twin} are both kiosk {kiosk_id(1)}"),
        ((blank,), "there is no bootloader in it; build it with `station image --stock FILE`"),
        ((kiosk.path,), "no board was found; plug it in by USB"),
        ((kiosk.path, "--port", "1-9"), "--port 1-9: fits no port"),
        ((tmp_path / "no.img",), "no.img: cannot be read: No such file"),
    ):
        done = station(*words, folder=tmp_path)
        assert (done.exit_code, done.stdout) == (1, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    one = board()
    monkeypatch.setattr(ports, "find", lambda *_: [Port(one.port, "1-1")])
    done = station(kiosk.path, folder=tmp_path)
    assert done.stderr == "station: nobody can be asked: name each board with --port, or give --yes\n"
    assert one.connections == 0
    done = station(kiosk.path, write(2).path, "--yes", folder=tmp_path)
    assert "2 images, 1 boards that fit: no board for 2.img; plug in as many boards" in done.stderr
    assert (done.exit_code, one.log) == (1, ["read"])
