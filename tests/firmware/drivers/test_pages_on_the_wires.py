"""Pages go through the drivers onto twins of the chips, and what a visitor sees is what the page is."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from drivers.ssd1683 import Ssd1683
from drivers.st7796 import St7796
from screens import paper
from screens.canvas import BAND_LINES, Canvas
from screens.painter import Painter
from screens.raster import RGB565
from twins import Controller, Panel
from wires import Line

from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view_bytes, view_faults
from fleet_server.screens import ASSETS, drawing
from fleet_server.screens.png import frame
from tests.screens.scenes import screens


def seen(page: Any) -> bytes:
    return bytes(frame(page, 480, 320, mono=False).pixels)


@pytest.mark.slow
def test_every_page_after_every_other_is_on_the_touchscreen_as_it_is_meant() -> None:
    panel = Panel()
    display = St7796(panel, panel.cs, panel.dc, Line(), None, panel.sleep_ms)
    assert panel.lit
    assert not any(panel.memory)
    painter = Painter(display, Canvas(display.width, BAND_LINES, RGB565))
    for screen in screens()[::5]:
        page = drawing.page(screen.scene, screen.view or {})
        painter.show(page)
        assert bytes(panel.memory) == seen(page), screen.name
        pressed = next((widget for widget in page.widgets if widget.action is not None), None)
        if pressed is not None:
            painter.press(pressed)
            assert bytes(panel.memory) != seen(page), screen.name
            painter.press(None)
            assert bytes(panel.memory) == seen(page), screen.name


@pytest.mark.parametrize(
    "shadow", [None, bytearray(Ssd1683.SHADOW_BYTES)], ids=["whole updates", "by difference"]
)
def test_the_page_of_a_button_kiosk_is_on_its_glass_and_the_controller_sleeps(
    shadow: bytearray | None, tmp_path: Path
) -> None:
    chip = Controller()
    display = Ssd1683(
        chip, chip.cs, chip.dc, chip.reset, chip.busy, chip.sleep_ms, lambda: chip.now_ms, chip.pause, shadow
    )
    asked = tmp_path / "set"
    asked.write_bytes(
        view_bytes(next(body for body in national_sets() if not view_faults(body, "button5")), "button5")
    )
    for page, path in (("out", None), ("ready", asked), ("out", None)):
        asyncio.run(paper.draw(display, str(ASSETS), page, path, 0, False))
        shown = drawing.read_view(asked.read_bytes()) if path else {}
        expected = frame(drawing.paper_page({"page": page}, shown), 400, 300, mono=True)
        assert bytes(chip.glass) == bytes(expected.pixels), page
        assert chip.asleep
    assert chip.updates == ["whole", *["whole" if shadow is None else "part"] * 2]
