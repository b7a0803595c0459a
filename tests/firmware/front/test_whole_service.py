"""The service gesture on a button kiosk as a whole: from the flash image, on MicroPython, with a broker."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioning.models import MODELS
from tests.firmware.front.kiosk_rig import Kiosk, Server, until

GLASS_BYTES = 15_000
HOLD_S = 4.3


@pytest.mark.parametrize("model", ["button5", "card5"])
def test_the_gesture_shows_the_state_and_counts_nothing(
    model: str, image_of: Callable[..., bytes], server: Server, tmp_path: Path
) -> None:
    flash = tmp_path / "kiosk.img"
    flash.write_bytes(image_of({}, model))
    kiosk = Kiosk(flash)
    if MODELS[model].screen == "paper":
        kiosk.frame = tmp_path / "kiosk.frame"
        kiosk.frame.write_bytes(b"\xff" * 2 * GLASS_BYTES)
    else:
        from tests.firmware.front.kiosk_rig import digest

        server.settings["card"] = digest(server.views[14])
    try:
        kiosk.on(MODELS[model].heap)
        until(lambda: kiosk.shown.get("status") == "online", "online", log=kiosk.lines)
        until(lambda: "ready" in kiosk.screens[-1:], "a question", log=kiosk.lines)
        kiosk.press(0)
        if kiosk.frame is not None:
            until(lambda: sum(kiosk.refreshes) == 1, "the question on the glass", log=kiosk.lines)
            asked = kiosk.frame.read_bytes()[:GLASS_BYTES]
        for face in (1, 3):
            kiosk.say(hold=face)
            time.sleep(0.05)
        time.sleep(HOLD_S)
        for face in (1, 3):
            kiosk.say(release=face)
        until(lambda: "service" in kiosk.screens[-1:], "the service page", log=kiosk.lines)
        if kiosk.frame is not None:
            glass = kiosk.frame
            until(lambda: sum(kiosk.refreshes) == 2, "its words on the glass", log=kiosk.lines)
            assert glass.read_bytes()[:GLASS_BYTES] != asked
            assert kiosk.refreshes[0] == 1, "with the short waveform"
        else:
            until(lambda: kiosk.lights == [1] * 5, "five steady lights: all is well", log=kiosk.lines)
        kiosk.say(press=2, ms=60)
        until(lambda: "ready" in kiosk.screens[-1:], "the question again", log=kiosk.lines)
        if kiosk.frame is not None:
            until(lambda: glass.read_bytes()[:GLASS_BYTES] == asked, "on the glass", log=kiosk.lines)
        until(lambda: not any(kiosk.lights), "lights out")
        kiosk.press(4)
        until(lambda: len(server.answers()) >= 4, "all is booked", log=kiosk.lines)
        told = [(one.value, one.flags, one.seq - one.session) for one in server.answers()]
        first = server.answers()[0].seq
        pressed = told[1][2]
        assert told[0] == (5, 0, first)
        # In the lock-out only the first of the two was taken; the rest is as a lock-out of 0 would have it.
        assert (255, 1, pressed) in told, "the press that began it is taken back"
        taken_back = {visit for value, _, visit in told if value == 255}
        assert [value for value, _, visit in told if visit not in taken_back] == [5, 1]
        assert not [line for line in kiosk.lines if "not drawn" in line or "emory" in line], kiosk.lines
    finally:
        kiosk.cut()
