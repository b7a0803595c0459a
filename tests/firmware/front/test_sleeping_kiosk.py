"""The battery kiosk's life: it sleeps by ending, and wakes as a new process with what woke it, on a clock of our own.

Nothing here has slept on an ESP32: what it shows is that program, journal and clock are right whatever a sleep takes.
"""

import json
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kiosk.doze import SYNC_S

from tests.firmware.front.kiosk_rig import BOOT, CLOCK, Kiosk, Server, until

ASLEEP = 76
HEAP = "384K"  # the board has 2 MB of PSRAM
GLASS_BYTES = 15_000


class BatteryKiosk(Kiosk):
    """A kiosk that is asleep as long as its process is not there."""

    def __init__(self, flash: Path, server: Server) -> None:
        super().__init__(flash)
        self.rtc = flash.with_suffix(".rtc")
        self.rtc.write_bytes(b"")
        self.env["HYMIO_RTC"] = str(self.rtc)
        self.server = server

    @property
    def now(self) -> int:
        """UTC of the kiosk's world, ms."""
        return time.time_ns() // 1_000_000 + self.server.ahead_ms

    def start(self) -> None:
        """The battery is put in."""
        self.on(HEAP, cause=f"1:0:{self.server.ahead_ms}")

    def wake(self, after_ms: int, faces: int = 0) -> None:
        """It slept for so long; `faces`: mask of the buttons that ended it, 0: the timer."""
        self.server.ahead_ms += after_ms
        self.on(HEAP, cause=f"4:{faces}:{self.server.ahead_ms}")

    def slept(self, within_s: float = 20) -> dict[str, int]:
        """Waits until it sleeps; how, as it said."""
        process = self.process
        assert process is not None
        until(lambda: process.poll() is not None, "asleep", within_s, log=self.lines)
        assert self._reader
        self._reader.join(2)
        assert process.returncode == ASLEEP, self.lines[-10:]
        return self.sleeps[-1]

    def kept(self) -> dict[str, Any]:
        """What the memory holds that is kept powered."""
        raw = self.rtc.read_bytes()
        (size,) = struct.unpack_from("<I", raw)
        text = raw[8 : 4 + size]
        assert struct.unpack_from("<I", raw, 4)[0] == zlib.crc32(text)
        kept: dict[str, Any] = json.loads(text)
        return kept


@pytest.fixture
def battery(image_of: Callable[..., bytes], tmp_path: Path, server: Server) -> Iterator[BatteryKiosk]:
    flash = tmp_path / "flash.img"
    flash.write_bytes(image_of({}))
    kiosk = BatteryKiosk(flash, server)
    yield kiosk
    kiosk.cut()


def test_the_press_that_wakes_it_counts_once_and_at_its_time(battery: BatteryKiosk, server: Server) -> None:
    battery.start()
    asleep = battery.slept()
    assert asleep["faces"] == 0b11111
    assert (SYNC_S - 10) * 1000 < asleep["sleep"] <= SYNC_S * 1000
    assert [state["state"] for state in server.states] == ["ready", "sleeping"]
    assert server.states[-1]["next"] > SYNC_S * 1.05
    battery.wake(20 * 60_000, 1 << 3)
    pressed = battery.now
    battery.slept()
    assert battery.light_times[0][1] == [0, 0, 0, 1, 0]
    assert battery.thanks == 1
    assert server.answers() == []
    battery.wake(40 * 60_000)
    battery.slept()
    (answer,) = server.answers()
    assert (answer.value, answer.set_number, answer.pressed) == (2, 14, 1)
    (boot,), (clock,) = server.of_kind(BOOT), server.of_kind(CLOCK)
    assert boot.body[0] == 4
    at, unsure = struct.unpack("<QI", clock.body)
    assert abs(at + (answer.uptime - clock.uptime) * 100 - pressed) < min(unsure, 5000)
    assert 200_000 < unsure < 300_000, "five per cent of twenty minutes, and of the hour to come"


def test_the_glass_keeps_its_picture_and_a_press_outlives_a_cut_of_the_battery(
    battery: BatteryKiosk, server: Server, tmp_path: Path
) -> None:
    battery.frame = tmp_path / "glass"
    battery.frame.write_bytes(b"\xff" * 2 * GLASS_BYTES)
    battery.start()
    battery.slept(60)
    assert battery.refreshes[1] >= 1, battery.lines
    picture = battery.frame.read_bytes()
    battery.refreshes = [0, 0]
    battery.wake(SYNC_S * 1000)
    battery.slept()
    assert battery.refreshes == [0, 0], "the same page is not drawn again"
    assert battery.frame.read_bytes() == picture
    battery.wake(60_000, 1 << 0)
    until(lambda: battery.thanks == 1, "thanks", log=battery.lines)
    battery.cut()
    battery.start()
    battery.slept(60)
    assert [answer.value for answer in server.answers()] == [5]
    assert [state["state"] for state in server.states] == ["ready", "sleeping"] * 3
    assert [state["conn"] for state in server.states] == sorted(state["conn"] for state in server.states)
