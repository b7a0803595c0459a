"""Takes the heap away from whoever runs beside it, for tests of what happens without. Runs on MicroPython."""

import gc


class Ballast:
    """All of the heap but `spare` bytes in one piece, from `fill` to `drop`."""

    def __init__(self, spare):
        self.spare = spare
        self.held = None  # [a piece of the heap, [the next piece, …]]

    def fill(self):
        gc.collect()
        keep = bytearray(self.spare)
        size = 16_384
        while size:
            try:
                self.held = [bytearray(size), self.held]
            except MemoryError:
                size //= 2
        del keep
        gc.collect()

    def drop(self):
        """Piece by piece: the collector may take one for still in use, and with it all that hangs on it."""
        while self.held is not None:
            held = self.held
            self.held = held[1]
            held[0] = held[1] = None
        gc.collect()
