"""A bit turns over at rest: what may be lost by it, and a kiosk that goes on with such a flash.

Runs on CPython and MicroPython.
"""

from kiosk import sector
from nor import flipped
from world import BUDGET, World, fields_end


class Rest:
    """A flash at rest, `sectors`, with its `promises`, and where each record lies that a bit may hit."""

    def __init__(self, sectors, promises):
        self.sectors = sectors
        self.promises = promises
        epochs = {key[0] for key in promises.thanked}
        self._spans = []
        for data in sectors:
            spans = []
            for epoch in epochs:
                for at, _, seq in sector.walk(data, epoch):
                    spans.append((at, at + fields_end(data[at:]), (epoch, seq)))
            self._spans.append(spans)

    def under(self, pos, offset):
        """Keys of the records that a bit there may cost: the one that it lies in, all of them under a header."""
        whole = offset < sector.HEADER_BYTES
        return {key for start, end, key in self._spans[pos] if whole or start <= offset < end}

    def flip(self, pos, offset, bit, turn, budget=BUDGET):
        """Turn it over and start; all else is found, nothing that was never written is, no seq comes again."""
        world = World(flipped(self.sectors, pos, offset, bit), turn, self.promises)
        world.promises.gone.update(self.under(pos, offset))
        if turn % 2 and not world.press():
            world.drain(budget)
        world.drain(100 if turn % 4 == 1 else budget)
        assert world.press()
        world.mount()
        world.drain()
        assert world.press()

