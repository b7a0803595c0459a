"""Damage at rest, a bit or a stretch: what may be lost by it, and a kiosk that goes on with such a flash.

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

    def flip(self, pos, offset, bit, turn, budget=BUDGET):
        """Turn one bit over. It may cost the record that it lies in; in a header, all that are under it."""
        keys = self._under(pos, offset, offset + 1)
        self._go_on(flipped(self.sectors, pos, offset, bit), keys, turn, budget)

    def blot(self, pos, start, end, turn, budget=BUDGET):
        """Clear all bits of a stretch behind the header. It may cost the records that it touches."""
        data = self.sectors[pos]
        sectors = list(self.sectors)
        sectors[pos] = data[:start] + bytes(end - start) + data[end:]
        self._go_on(sectors, self._under(pos, start, end), turn, budget)

    def _under(self, pos, first, last):
        whole = first < sector.HEADER_BYTES
        return {key for start, end, key in self._spans[pos] if whole or (start < last and first < end)}

    def _go_on(self, sectors, may_be_lost, turn, budget):
        """Start and go on: all else is found, nothing that was never written is, no seq comes again."""
        world = World(sectors, turn, self.promises)
        world.promises.gone.update(may_be_lost)
        if turn % 2 and not world.press():
            world.drain(budget)
        world.drain(100 if turn % 4 == 1 else budget)
        assert world.press()
        world.mount()
        world.drain()
        assert world.press()
