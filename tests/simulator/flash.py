"""A kiosk's flash with a fuse: power fails in the middle of the operation at which the fuse burns, torn in any way."""

import random
from collections.abc import Callable, Iterator, Sequence

from kiosk import sector

from tests.firmware.nor import Nor, flipped, models
from tests.simulator.history import crc_of


class Flash(Nor):
    """`fuse`: operations until the power fails. `erasing(content)` is called before each erase."""

    def __init__(self, sectors: Sequence[bytes], chance: random.Random) -> None:
        super().__init__(sectors)
        self._chance = chance
        self.fuse: int | None = None
        self.flips = 0
        self.erasing: Callable[[bytes], None] | None = None

    def writeblocks(self, n: int, buf: bytes, off: int | None = None) -> None:
        if self.flips and off is not None:  # a bit that has turned over stays 0, whatever is programmed there
            buf = bytes(a & b for a, b in zip(buf, self.sectors[n][off:], strict=False))
        super().writeblocks(n, buf, off)

    def _do(self, operation: tuple[int, int | None, bytes | None]) -> None:
        if operation[2] is None and self.erasing is not None:
            self.erasing(self.sectors[operation[0]])
        if self.fuse == 0:
            model = self._chance.choice(models(operation, self._chance.randrange(1 << 16), self.size))
            self.cut = (self.operations, model)
            self.fuse = None
        elif self.fuse is not None:
            self.fuse -= 1
        super()._do(operation)

    def power(self) -> None:
        """There is power again."""
        self.cut = self.fuse = None

    def flip(self) -> tuple[int, int, int]:
        """Turn any one bit over; returns where."""
        where = (
            self._chance.randrange(len(self.sectors)),
            self._chance.randrange(self.size),
            self._chance.randrange(8),
        )
        self.sectors = flipped(self.sectors, *where)
        self.flips += 1
        return where


def records_of(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(epoch, seq, CRC) of each whole record in a sector, none when its header cannot be read."""
    header = sector.unpack_header(data)
    if header is not None:
        for offset, size, seq in sector.walk(data, header[1]):
            yield header[1], seq, crc_of(data[offset : offset + size])
