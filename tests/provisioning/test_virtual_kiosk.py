"""A virtual kiosk's life: power, cable, restarts, updates, and who may reach it."""

import asyncio
import contextlib
import json
import socket
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioning.errors import ProvisioningError
from provisioning.flash_layout import partition
from provisioning.identity import Identity
from provisioning.virtual.client import VirtualKiosk, list_kiosks
from tests.provisioning.kiosk_states import SOON_S, Make, booted, listener, pressed, until


def test_a_kiosk_runs_from_its_image_and_sees_nothing_of_the_host(make_kiosk: Make) -> None:
    kiosk = make_kiosk(model="card4")
    kiosk.start()
    status = booted(kiosk)
    assert status["show"]["root"] == ["board.mpy", "boot.py", "boots", "kiosk", "main.py", "nvs_image.mpy"]
    assert status["show"]["cause"] == "1"
    assert (status["power"], status["net"], status["faces"], status["model"]) == (True, True, 4, "card4")
    assert "console: hello" in kiosk.folder.log.read_text()


def test_a_press_survives_cut_and_stop_and_is_still_in_the_flash(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    booted(kiosk)
    kiosk.press(3, simulated=True)
    status = pressed(kiosk, 1)
    assert status["lights"] == [0, 0, 0, 1, 0]
    assert status["journal"]["simulated"] is True
    kiosk.cut()
    status = kiosk.status()
    assert (status["power"], status["pid"], status["lights"], status["show"]) == (False, None, [0] * 5, {})
    with pytest.raises(ProvisioningError, match="kiosk 'lobby' has no power; switch it on first"):
        kiosk.press(3)
    kiosk.cut()
    kiosk.on()
    kiosk.on()
    assert booted(kiosk, 2)["journal"]["pressed"] == 1
    kiosk.press(0)
    pressed(kiosk, 2)
    kiosk.stop()
    assert not kiosk.running
    assert "Traceback" not in kiosk.folder.log.read_text()
    flash = kiosk.folder.flash.read_bytes()
    assert flash[partition("journal").offset :][:3] == b"\x03\x00\xff"
    kiosk.start()
    assert booted(kiosk, 3)["journal"]["pressed"] == 2


def test_the_flash_only_clears_bits_until_a_sector_is_erased(make_kiosk: Make, firmware: Path) -> None:
    (firmware / "kiosk" / "app.py").write_text(
        """
import sys
def run(board):
    flash, seen = board.flash, []
    def look(at):
        held = bytearray(4)
        flash.readblocks(7, held, at)
        return list(held)
    flash.writeblocks(7, b'\\xf0\\x0f\\xaa\\x55', 4090)
    flash.writeblocks(7, b'\\x3c\\x3c\\xff\\x00', 4090)
    seen.append(look(4090))
    flash.writeblocks(7, bytes(300), 1000)
    flash.writeblocks(8, b'\\x00' * 4, 0)
    seen.append(look(998) + look(1298))
    flash.ioctl(6, 7)
    seen.append(look(4090) + look(1000))
    held = bytearray(4)
    flash.readblocks(8, held)
    board.emit({'show': {'seen': seen, 'kept': list(held), 'size': [flash.ioctl(4, 0), flash.ioctl(5, 0)]}})
    sys.stdin.read()
"""
    )
    kiosk = make_kiosk()
    kiosk.start()
    show = until(kiosk, lambda status: "seen" in status["show"])["show"]
    assert show["seen"] == [
        [0x30, 0x0C, 0xAA, 0x00],
        [0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF],
        [0xFF] * 8,
    ]
    assert show["kept"] == [0, 0, 0, 0]
    assert show["size"] == [256, 4096]


def test_a_restart_is_a_restart_and_a_crash_comes_back_by_itself(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    booted(kiosk)
    kiosk.hold(0)
    assert booted(kiosk, 2)["show"]["cause"] == "5"
    kiosk.hold(1)
    status = booted(kiosk, 3)
    assert status["show"]["cause"] == "3"
    assert status["starts"] == 3
    log = kiosk.folder.log.read_text()
    assert "ValueError: the firmware broke" in log
    assert "(runner) the firmware ended (1); starting it again in 1 s" in log


def test_a_kiosk_that_is_cut_while_it_waits_to_come_back_stays_off(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    booted(kiosk)
    kiosk.hold(1)
    until(kiosk, lambda status: status["pid"] is None)
    kiosk.cut()
    time.sleep(1.2)
    assert (kiosk.status()["power"], kiosk.status()["starts"]) == (False, 1)


def test_a_pulled_cable_hangs_the_kiosks_connection_and_a_plugged_one_resets_it(
    make_kiosk: Make, identity: Identity
) -> None:
    with listener() as broker:
        kiosk = make_kiosk(identity=replace(identity, port=broker.getsockname()[1]))
        kiosk.start()
        booted(kiosk)
        kiosk.hold(2)
        wire, _ = broker.accept()
        wire.settimeout(0.3)
        assert wire.recv(100) == b"hello\n"
        kiosk.unplug()
        assert until(kiosk, lambda status: status["show"].get("net") is False)["net"] is False
        wire.send(b"into the void\n")
        kiosk.cut()
        with pytest.raises(TimeoutError):
            wire.recv(100)
        kiosk.on()
        # The cable is still out: the firmware hears that at once, and its connection hears nothing.
        assert "heard" not in until(kiosk, lambda status: status["show"].get("net") is False)["show"]
        kiosk.hold(2)
        time.sleep(0.2)
        assert "heard" not in kiosk.status()["show"]
        kiosk.plug()
        assert until(kiosk, lambda status: "heard" in status["show"])["show"]["heard"] == "ECONNRESET"
        kiosk.hold(2)
        again, _ = broker.accept()
        again.send(b"welcome back\n")
        until(kiosk, lambda status: status["show"]["heard"] == "welcome back\n")
        wire.close()
        again.close()


def test_a_power_cut_says_nothing_to_the_broker_and_a_stop_does(make_kiosk: Make) -> None:
    with listener() as broker:
        kiosk = make_kiosk()
        kiosk.start(broker=broker.getsockname())
        booted(kiosk)
        kiosk.hold(2)
        before, _ = broker.accept()
        before.settimeout(0.3)
        assert before.recv(100) == b"hello\n"
        kiosk.cut()
        with pytest.raises(TimeoutError):
            before.recv(100)
        kiosk.on()
        booted(kiosk, 2)
        kiosk.hold(2)
        after, _ = broker.accept()
        after.settimeout(SOON_S)
        assert after.recv(100) == b"hello\n"
        kiosk.stop()
        assert after.recv(100) == b""
        before.close()
        after.close()


def test_a_broker_that_moved_is_found_again_and_stays_known(make_kiosk: Make) -> None:
    with listener() as broker:
        kiosk = make_kiosk()
        kiosk.start(broker=broker.getsockname())
        booted(kiosk)
        kiosk.stop()
        kiosk.start()
        booted(kiosk, 2)
        kiosk.hold(2)
        wire, _ = broker.accept()
        wire.close()
        assert kiosk.status()["broker"] == f"127.0.0.1:{broker.getsockname()[1]}"


def test_a_kiosk_whose_port_was_taken_meanwhile_gets_another_and_keeps_its_journal(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    booted(kiosk)
    kiosk.press(1)
    pressed(kiosk, 1)
    kiosk.stop()
    before = kiosk.facts.port
    with socket.socket() as thief, listener() as broker:
        thief.bind(("127.0.0.1", before))
        thief.listen()
        kiosk.start(broker=broker.getsockname())
        assert pressed(kiosk, 1)["port"] != before
        kiosk.hold(2)
        wire, _ = broker.accept()
        assert wire.recv(100) == b"hello\n"
        wire.close()


def test_a_start_brings_new_firmware_and_keeps_state_and_journal(make_kiosk: Make, firmware: Path) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    assert booted(kiosk)["show"]["marker"] == "first"
    kiosk.press(1)
    pressed(kiosk, 1)
    kiosk.stop()
    (firmware / "kiosk" / "marker.py").write_text("MARKER = 'second'\n")
    kiosk.start()
    status = booted(kiosk, 2)
    assert status["show"]["marker"] == "second"
    assert status["journal"]["pressed"] == 1


def test_watching_begins_with_how_it_is_and_goes_on_with_what_happens(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    booted(kiosk)

    async def watch() -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(SOON_S):
            async for event in kiosk.watch():
                events.append(event)
                if len(events) == 1:
                    await kiosk.ask("press", face=2, simulated=True)
                if event.get("journal") == {"pressed": 1, "simulated": True}:
                    await kiosk.ask("unplug")
                    await kiosk.ask("cut")
                    await kiosk.ask("on")
                    await asyncio.to_thread(kiosk.stop)
        return events

    first, *events = asyncio.run(watch())
    assert set(first) == {"power", "net", "lights", "show", "journal", "frame"}
    assert first["power"] is first["net"] is True
    assert first["show"]["boots"] == 1
    wanted: list[dict[str, Any]] = [
        {"light": [0, 0, 1, 0, 0]},
        {"journal": {"pressed": 1, "simulated": True}},
        {"net": False},
        {"power": False},
        {"power": True},
        {"power": False},
    ]
    assert [event for event in events if event in wanted] == wanted


def test_bad_requests_get_one_clear_line_and_change_nothing(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    with pytest.raises(ProvisioningError, match="^kiosk 'lobby' is not running; start it first$"):
        kiosk.press(0)
    kiosk.start()
    booted(kiosk)
    for do, fields, said in [
        ("press", {"face": 5}, "face 5 does not exist; button5 has 0 to 4"),
        ("press", {"face": -1}, "face -1 does not exist"),
        ("press", {"face": "0"}, "face '0' does not exist"),
        ("hold", {"face": True}, "face True does not exist"),
        ("release", {}, "face None does not exist"),
        ("press", {"face": 0, "ms": 0}, "press of 0 ms"),
        ("dance", {}, "request 'dance' is unknown; there are status, press"),
    ]:
        with pytest.raises(ProvisioningError, match=said):
            kiosk.call(do, **fields)
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(kiosk.folder.socket_path() or "")
        raw.settimeout(SOON_S)
        answers = raw.makefile("rb")
        for line in (b"\n", b"[]\n", b"{\n", b"\xff\n", b'"text"\n'):
            raw.send(line)
            answer = json.loads(answers.readline())
            assert answer["ok"] is False
            assert "is no JSON object with 'do'" in answer["error"]
        with contextlib.suppress(ConnectionError):  # it hangs up, at times before it has read all of it
            raw.sendall(b"x" * 200_000)
            assert answers.readline() == b""
    with pytest.raises(ProvisioningError, match="^kiosk 'lobby' is running already$"):
        VirtualKiosk(kiosk.folder.path.parent, "lobby").start()
    assert kiosk.status()["journal"] == {"pressed": 0}
    assert kiosk.running


def test_only_the_owner_can_read_the_secret_or_reach_the_control_socket(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    control = Path(kiosk.folder.socket_path() or "")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (kiosk.folder.path, control.parent)}
    assert set(modes.values()) == {0o700}
    for path in (
        control,
        kiosk.folder.flash,
        kiosk.folder.path / "kiosk.json",
        kiosk.folder.path / "run.json",
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    kiosk.stop()
    assert not control.parent.exists()


def test_the_list_names_what_exists_and_what_runs(make_kiosk: Make, tmp_path: Path) -> None:
    assert list_kiosks(tmp_path / "nowhere") == []
    make_kiosk("two")
    one = make_kiosk("one")
    one.start()
    (tmp_path / "kiosks" / "not-a-kiosk").mkdir()
    assert [(kiosk.name, kiosk.running) for kiosk in list_kiosks(tmp_path / "kiosks")] == [
        ("one", True),
        ("two", False),
    ]
