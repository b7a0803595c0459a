"""Mock boards and image files for the tests of `station flash`, and flashing without its pauses."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from provisioning.chips import ESP32, Chip
from provisioning.dumps import Dumps
from provisioning.flash_plan import Looked, Pair, pair_found, pair_named
from provisioning.flashing import KioskImage, Outcome, open_image
from provisioning.many_boards import Guard, Talk, flash_all
from provisioning.ports import Port
from tests.provisioning import quick_esptool
from tests.provisioning.kiosk_flash import image
from tests.provisioning.mock_boards import MockBoard

Make = Callable[..., MockBoard]


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """esptool's imports are done once for all its processes."""
    with quick_esptool.ready():
        yield


@pytest.fixture
def board(quick: None) -> Iterator[Make]:
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
    named, agree = options.pop("named", True), options.pop("agree", lambda pairs: None)
    guard = Guard(Dumps(folder), options.pop("even_if_answers_wait", False))

    def pair(looked: Sequence[Looked]) -> list[Pair]:
        pairs = (pair_named if named else pair_found)(looked, images)
        agree(pairs)
        return pairs

    talk = Talk(pause_s=0, attempts=1, **options)
    return asyncio.run(flash_all(there, pair, guard, quiet=True, talk=talk))


def holds(board: MockBoard, kiosk: KioskImage) -> bool:
    return bytes(board.flash.data) == kiosk.content
