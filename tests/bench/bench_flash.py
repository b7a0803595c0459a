"""What a press costs the flash, beside the same bytes appended to a littlefs file on the same simulated NOR flash."""

import random

from kiosk import record
from kiosk.journal import Journal
from littlefs import LittleFS
from littlefs.context import UserContext

from tests.firmware.nor import Nor

SECTORS = 64
BLOCK = 4096
PRESSES = 40_000  # goes round the ring four times
BATCH = 100


class NorContext(UserContext):
    """littlefs on the simulated flash, with what MicroPython's VfsLfs2 uses by default."""

    def __init__(self, flash: Nor) -> None:
        self.flash = flash

    def read(self, _cfg, block: int, off: int, size: int) -> bytearray:
        buffer = bytearray(size)
        self.flash.readblocks(block, buffer, off)
        return buffer

    def prog(self, _cfg, block: int, off: int, data: bytes) -> int:
        self.flash.writeblocks(block, data, off)
        return 0

    def erase(self, _cfg, block: int) -> int:
        self.flash.ioctl(6, block)
        return 0

    def sync(self, _cfg) -> int:
        return 0


def measure() -> list[dict]:
    """Programmed bytes and erases a press: the journal's, and littlefs's as peer."""
    flash = Nor(SECTORS)
    journal = Journal(flash, random.Random(1).randbytes)
    own_bytes = 0
    for press in range(PRESSES):
        journal.append(record.KIND_ANSWER, set_number=1, session=0, value=5, uptime=press)
        own_bytes += record.padded_bytes(0)
        if press % BATCH == BATCH - 1:  # a connected kiosk: booked as it goes, erased when idle
            journal.release(journal.epoch, journal.next_seq)
            while journal.tidy():
                pass
    programmed, erases = flash.bytes_programmed / PRESSES, flash.erases / PRESSES
    peer = _littlefs()
    return [
        {
            "name": "flash bytes programmed a press / the record's own",
            "value": programmed / (own_bytes / PRESSES),
            "unit": "times",
            "limit": 1.15,
        },
        {"name": "flash erases a press", "value": erases, "unit": "erases", "limit": 0.01},
        {
            "name": "flash bytes programmed a press",
            "value": programmed,
            "unit": "B",
            "peer": peer[0],
            "peer_name": "littlefs append",
        },
        {
            "name": "flash erases a press, beside littlefs",
            "value": erases,
            "unit": "erases",
            "peer": peer[1],
            "peer_name": "littlefs append",
        },
    ]


def _littlefs(appends: int = 500) -> tuple[float, float]:
    flash = Nor(SECTORS)
    files = LittleFS(
        context=NorContext(flash),
        block_size=BLOCK,
        block_count=SECTORS,
        prog_size=32,
        read_size=32,
        cache_size=128,
        lookahead_size=32,
        mount=False,
    )
    files.format()
    files.mount()
    with files.open("answers", "wb"):
        pass  # mode "a" does not create a file here
    before = flash.bytes_programmed, flash.erases
    for _ in range(appends):
        with files.open("answers", "ab") as file:
            file.write(b"\x55" * record.padded_bytes(0))
    return (flash.bytes_programmed - before[0]) / appends, (flash.erases - before[1]) / appends
