"""Twenty mock boards flashed and verified by `station flash`, beside esptool alone writing the same bytes to them.

Both run all boards at once with a process each. The mocks answer at once, so this is what the tool costs, not flash.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from provisioning.dumps import Dumps
from provisioning.flash_plan import pair_named
from provisioning.flashing import KioskImage, open_image, pieces
from provisioning.many_boards import Guard, flash_all
from provisioning.ports import Port
from tests.provisioning.kiosk_flash import image
from tests.provisioning.mock_boards import MockBoard

BOARDS = 20


def measure() -> dict:
    """Seconds for twenty boards."""
    with tempfile.TemporaryDirectory(prefix="hymio-bench-") as name:
        folder = Path(name)
        images = []
        for number in range(BOARDS):
            path = folder / f"{number}.img"
            path.write_bytes(image(number))
            images.append(open_image(path))
        ours = _timed(lambda boards: _station(boards, images, folder))
        alone = _timed(lambda boards: _esptool(boards, images, folder))
    return {
        "name": f"{BOARDS} mock boards looked at, written and verified",
        "value": ours,
        "unit": "s",
        "peer": alone,
        "peer_name": "esptool write-flash alone",
    }


def _timed(do) -> float:
    boards = [MockBoard() for _ in range(BOARDS)]
    began = time.perf_counter()
    asyncio.run(do(boards))
    took = time.perf_counter() - began
    for number, board in enumerate(boards):
        assert bytes(board.flash.data) == image(number), f"board {number} does not hold its image"
        board.close()
    return took


async def _station(boards: list[MockBoard], images: list[KioskImage], folder: Path) -> None:
    ports = [Port(board.port) for board in boards]
    outcomes = await flash_all(
        ports, lambda looked: pair_named(looked, images), Guard(Dumps(folder)), quiet=True
    )
    assert [outcome.state for outcome in outcomes] == ["written"] * BOARDS


async def _esptool(boards: list[MockBoard], images: list[KioskImage], folder: Path) -> None:
    async def write(board: MockBoard, kiosk: KioskImage) -> None:
        files = []
        for offset, data in pieces(kiosk.content):
            path = folder / f"{kiosk.id}-{offset:x}.bin"
            path.write_bytes(data)
            files += [hex(offset), str(path)]
        command = [
            sys.executable,
            "-m",
            "esptool",
            "--port",
            board.port,
            "--baud",
            "921600",
            "--before",
            "no-reset",
        ]
        process = await asyncio.create_subprocess_exec(
            *command, "write-flash", "--erase-all", *files, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0

    await asyncio.gather(*(write(board, kiosk) for board, kiosk in zip(boards, images, strict=True)))
