"""The touch kiosk as a whole, over TLS: what it does after its start needs no large piece of memory."""

from pathlib import Path

import pytest
from kiosk.said_rules import MOST_BYTES

from provisioning.models import MODELS
from tests.bench.touch_rig import LARGEST_SET, largest_set, touch_world
from tests.firmware.front.kiosk_rig import until

BALLAST = Path(__file__).resolve().parents[1] / "ballast.py"
LARGEST_BYTES = 64 * 1024
PINS_K = 16  # what cuts the heap into pieces takes that much of it
MAIN = f"""
import asyncio
import board
from ballast import crowd
from kiosk.app import App

app = App(board)
pins = crowd({LARGEST_BYTES})
board.log("crowded")
asyncio.run(app.main())
"""


@pytest.mark.slow
def test_nothing_above_64_kib_is_allocated_once_a_kiosk_is_up_for_tls_two_sets_and_a_visit() -> None:
    with touch_world() as world:
        kiosk, server = world.kiosk, world.server
        server.settings["said"] = notes = [
            {"id": number, "until": None, "fi": ["Kylmä " * 24, "Ovi on uusi " * 19]} for number in (1, 2, 3)
        ]
        assert MOST_BYTES - 30 < sum(len(text.encode()) for one in notes for text in one["fi"]) <= MOST_BYTES
        kiosk.flash.write_bytes(world.image({"/main.py": MAIN.encode(), "/ballast.py": BALLAST.read_bytes()}))
        kiosk.on(f"{int(MODELS['touch'].heap.removesuffix('K')) + PINS_K}K")
        until(lambda: kiosk.shown.get("page") == "rest", "a question", 60, kiosk.lines)
        assert "crowded" in kiosk.lines
        world.visit(world.ready_set)
        world.booked()
        server.publish_set(largest_set(world.ready_set))
        until(lambda: server.reports[-1]["running"] == LARGEST_SET, "the largest set", 60, kiosk.lines)
        assert server.reports[-1]["said"] == {"ids": [1, 2, 3], "reason": ""}
        assert not kiosk.short
        assert len(server.answers()) >= 6
