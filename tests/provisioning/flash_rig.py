"""Mock boards and image files for the tests of `station flash`, and flashing without its pauses."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioning.chips import ESP32, Chip
from provisioning.dumps import Dumps
from provisioning.flash_command import flash_all
from provisioning.flashing import KioskImage, Outcome, open_image
from provisioning.ports import Port
from tests.provisioning.kiosk_flash import image
from tests.provisioning.mock_boards import MockBoard

Make = Callable[..., MockBoard]


@pytest.fixture
def board() -> Iterator[Make]:
    made: list[MockBoard] = []

    def make(**options: Any) -> MockBoard:
        made.append(MockBoard(mac=bytes([0x24, 0x0A, 0xC4, 0, 0, len(made) + 1]), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., KioskImage]:
    def to_disk(number: int, chip: Chip = ESP32) -> KioskImage:
        path = tmp_path / f"{number}.img"
        path.write_bytes(image(number, chip))
        return open_image(path)

    return to_disk


def flashed(images: list[KioskImage], boards: list[MockBoard], folder: Path, **options: Any) -> list[Outcome]:
    """As `station flash` does with named ports, without its pauses."""
    there = [Port(one.port, f"1-{number}") for number, one in enumerate(boards, 1)]
    named = options.pop("named", True)
    return asyncio.run(
        flash_all(images, there, named, Dumps(folder), quiet=True, pause_s=0, attempts=1, **options)
    )


def holds(board: MockBoard, kiosk: KioskImage) -> bool:
    return bytes(board.flash.data) == kiosk.content
