"""Network settings on trial on a whole kiosk, from the flash image, with Mosquitto: it comes back, and every answer
counts once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning.models import MODELS
from tests.firmware.front.kiosk_rig import Kiosk, Server, digest, until
from tests.firmware.net.conftest import Pipe, free_port

EXIT_RESTART = 75


@pytest.fixture
def kiosk(image_of: Callable[..., bytes], tmp_path: Path) -> Iterator[Kiosk]:
    flash = tmp_path / "kiosk.img"
    flash.write_bytes(image_of({}, "card5"))
    kiosk = Kiosk(flash)
    yield kiosk
    kiosk.cut()


def on(kiosk: Kiosk) -> None:
    kiosk.on(MODELS["card5"].heap)
    until(lambda: "ready" in kiosk.screens[-1:], "a question", log=kiosk.lines)


def restarts(kiosk: Kiosk, what: str) -> None:
    """The board resets itself, and the host starts it again."""
    process = kiosk.process
    assert process is not None
    until(lambda: process.poll() is not None, what, within_s=40, log=kiosk.lines)
    assert process.returncode == EXIT_RESTART, kiosk.lines[-10:]
    on(kiosk)


def wish(server: Server, **network: Any) -> None:
    server.version += 1
    server.settings["network"] = {"version": server.version, "seconds": 8, **network}
    server._desire()


def reported(server: Server) -> Any:
    return server.reports[-1].get("network") if server.reports else None


def test_a_wrong_port_is_tried_and_left_again_and_a_good_one_is_kept(
    kiosk: Kiosk, server: Server, broker: int
) -> None:
    server.settings["card"] = digest(server.views[14])
    on(kiosk)
    until(lambda: kiosk.shown.get("status") == "online", "online", log=kiosk.lines)
    kiosk.press(0)
    assert reported(server) is None
    wish(server, host="127.0.0.1", port=free_port())
    first = server.version
    until(lambda: (reported(server) or {}).get("state") == "trying", "told that it tries", log=kiosk.lines)
    restarts(kiosk, "leaves for the new port")
    kiosk.press(1)
    kiosk.cut()  # the power fails while it tries
    on(kiosk)
    kiosk.press(2)
    restarts(kiosk, "goes back")
    until(lambda: kiosk.shown.get("status") == "online", "online again", log=kiosk.lines)
    gone = until(lambda: (reported(server) or {}).get("state") == "back" and reported(server), "reported")
    assert gone["version"] == first
    assert gone["reason"]
    until(lambda: len(server.answers()) == 3, "what was pressed meanwhile", log=kiosk.lines)

    pipe = Pipe(broker)
    try:
        wish(server, port=pipe.port)
        restarts(kiosk, "leaves for the good port")
        until(lambda: (reported(server) or {}).get("state") == "kept", "kept", log=kiosk.lines)
        kiosk.press(3)
        kiosk.cut()
        on(kiosk)
        kiosk.press(4)
        until(lambda: len(server.answers()) == 5, "over the new port after a power cut", log=kiosk.lines)
        assert [answer.value for answer in server.answers()] == [5, 4, 3, 2, 1]
        assert len(pipe._sockets) >= 4, "both connections went that way"
    finally:
        pipe.close()
    assert not [line for line in kiosk.lines if "emory" in line], kiosk.lines
