"""The project's own firmware understands what the runner says, and the runner what the firmware says."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning.identity import Identity
from provisioning.virtual.client import VirtualKiosk

SOON_S = 30


@pytest.fixture
def kiosk(tmp_path: Path, identity: Identity) -> Iterator[VirtualKiosk]:
    kiosk = VirtualKiosk.create(tmp_path, "lobby", identity, model="button4")
    kiosk.start(attached=True)
    yield kiosk
    kiosk.stop()


def shows(kiosk: VirtualKiosk, **wanted: str) -> dict[str, Any]:
    end = time.monotonic() + SOON_S
    while True:
        status = kiosk.status()
        if wanted.items() <= status["show"].items():
            return status
        assert time.monotonic() < end, (status, kiosk.folder.log.read_text()[-1000:])
        time.sleep(0.02)


def test_it_shows_how_its_network_is_and_comes_back_after_a_power_cut(kiosk: VirtualKiosk) -> None:
    status = shows(kiosk, status="offline", screen="out")
    assert status["lights"] == [0, 0, 0, 0]
    assert status["journal"]["pressed"] == 0
    kiosk.unplug()
    shows(kiosk, status="no-network")
    kiosk.press(0)
    kiosk.cut()
    assert kiosk.status()["show"] == {}
    kiosk.on()
    status = shows(kiosk, screen="out")
    assert status["journal"]["pressed"] == 0, (
        "without a question set nothing is thanked for, nothing recorded"
    )
    assert (status["starts"], status["net"]) == (2, False)
