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


_GRAIN = 1024
_GRAINS = 1024  # a heap of 1 MiB


def crowd(largest):
    """Cut what is free into pieces of at most `largest` bytes. Returns what cuts it, to be kept."""
    grains = [None] * _GRAINS
    count = 0
    try:
        while True:
            grains[count] = bytearray(_GRAIN)
            count += 1
    except MemoryError:
        pass
    between = largest * 3 // 4 // _GRAIN  # pieces lie in a row but for a few, which may make one longer
    for i in range(count):
        if i % between:
            grains[i] = None
    gc.collect()
    try:
        bytearray(largest)
    except MemoryError:
        return grains
    raise AssertionError(f"there is a larger piece than {largest} bytes")
