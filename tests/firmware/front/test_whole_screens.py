"""Button kiosks with e-paper and with a printed card, as a whole: from the flash image, on MicroPython, with a broker.

What is on the glass is compared with what the server draws of the same set.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet_server.screens import ASSETS
from fleet_server.screens.png import frame
from provisioning.models import MODELS
from tests.firmware.front.kiosk_rig import QUESTION_SET, Kiosk, Server, digest, largest_set, until, view_bytes

GLASS_BYTES = 15_000
HOLD_S = 5.3


@pytest.fixture
def made(image_of: Callable[..., bytes], tmp_path: Path) -> Iterator[Callable[[str], Kiosk]]:
    """Makes a kiosk of a model, switched off."""
    kiosks = []

    def make(model: str) -> Kiosk:
        flash = tmp_path / f"{model}.img"
        flash.write_bytes(image_of({}, model))
        kiosk = Kiosk(flash)
        if MODELS[model].screen == "paper":
            kiosk.frame = tmp_path / f"{model}.frame"
            kiosk.frame.write_bytes(b"\xff" * 2 * GLASS_BYTES)
        kiosks.append(kiosk)
        return kiosk

    yield make
    for kiosk in kiosks:
        kiosk.cut()


def glass(kiosk: Kiosk) -> bytes:
    assert kiosk.frame is not None
    return kiosk.frame.read_bytes()[:GLASS_BYTES]


def page(view: dict[str, Any] | None, name: str = "ready") -> bytes:
    from screens import fonts, page_paper

    files = fonts.load(str(ASSETS), ("p20", "p30", "p44")), fonts.pictures(str(ASSETS), "paper")
    built = page_paper.build({"page": name}, view, 0, (), *files)
    return bytes(frame(built, 400, 300, mono=True).pixels)


def test_e_paper_shows_what_is_asked_through_the_largest_set_cleaning_and_a_power_cut(
    made: Callable[[str], Kiosk], server: Server
) -> None:
    kiosk = made("button5")
    kiosk.on(MODELS["button5"].heap)
    kiosk.ready()
    asked = page(QUESTION_SET)
    until(lambda: glass(kiosk) == asked, "the question on the glass", log=kiosk.lines)
    kiosk.press(0)
    large = largest_set()
    server.publish_set(large)
    shown = page(large)
    until(lambda: glass(kiosk) == shown, "the largest set on the glass", log=kiosk.lines)
    kiosk.press(4)
    until(lambda: [answer.set_number for answer in server.answers()] == [14, 15], "an answer to each")
    kiosk.say(hold=0)
    kiosk.say(hold=4)
    wait = page(None, "wait")
    until(lambda: glass(kiosk) == wait, "'wait' on the glass while it is cleaned", log=kiosk.lines)
    until(lambda: kiosk.refreshes[0] >= 1, "told, with the short waveform")
    kiosk.cut()
    assert glass(kiosk) == wait, "the picture stays without power"
    server.mute = True
    kiosk.on(MODELS["button5"].heap)
    until(lambda: glass(kiosk) == shown, "the question again, without network", log=kiosk.lines)
    kiosk.press(1)
    assert not [line for line in kiosk.lines if "not drawn" in line or "emory" in line], kiosk.lines


def test_a_card_kiosk_asks_another_set_only_after_its_card_was_changed(
    made: Callable[[str], Kiosk], server: Server
) -> None:
    def hold() -> None:
        for face in (0, 4):
            kiosk.say(hold=face)
        time.sleep(HOLD_S)
        for face in (0, 4):
            kiosk.say(release=face)

    def waits() -> Any:
        return server.reports[-1]["card"] if server.reports else None

    kiosk = made("card5")
    kiosk.on(MODELS["card5"].heap)
    until(
        lambda: waits() == digest(view_bytes(QUESTION_SET)), "the first card is waited for", log=kiosk.lines
    )
    assert kiosk.screens[-1:] == ["out"]
    hold()
    until(lambda: kiosk.shown.get("number") == 14, "asked once its card is in", log=kiosk.lines)
    until(lambda: server.reports[-1]["running"] == 14 and waits() is None, "reported", log=kiosk.lines)
    assert kiosk.sounds[-1][1] == "card"
    kiosk.press(2)
    server.publish_set(largest_set())
    until(lambda: waits() == digest(server.views[15]), "the largest set waits", log=kiosk.lines)
    kiosk.press(3)
    kiosk.cut()
    kiosk.on(MODELS["card5"].heap)
    until(lambda: kiosk.shown.get("number") == 14, "still the old one after a power cut", log=kiosk.lines)
    kiosk.ready()
    kiosk.press(1)
    server.settings["card"] = digest(server.views[15])
    server.publish_set(largest_set())
    until(lambda: kiosk.shown.get("number") == 15, "asked once the page says so", log=kiosk.lines)
    kiosk.press(0)
    until(
        lambda: [answer.set_number for answer in server.answers()] == [14, 14, 14, 15],
        "each answer under the set that its card named",
        log=kiosk.lines,
    )
