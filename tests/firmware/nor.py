"""A NOR flash in RAM: programming only clears bits, erasing sets a whole sector, power may fail in between.

Runs on CPython and MicroPython. Sectors are immutable bytes, so that a snapshot is a list copy.
"""

PATTERNS = ("blank", "zeros", "noise", "text")


class PowerCut(Exception):
    pass


class Rng:
    """The same numbers on both interpreters (xorshift32)."""

    def __init__(self, seed):
        self._x = (seed * 2654435761 + 88172645) & 0xFFFFFFFF or 1

    def below(self, n):
        x = self._x
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self._x = x
        return (x >> 4) % n

    def bytes(self, n):
        return bytes([self.below(256) for _ in range(n)])


def pattern(name, count, size, seed=1):
    """Sectors as they may be found in a part that was not erased: blank, zeros, noise, text."""
    if name == "blank":
        return [b"\xff" * size] * count
    if name == "zeros":
        return [bytes(size)] * count
    if name == "text":
        return [(b"Kiitos palautteesta. " * (size // 21 + 1))[:size]] * count
    rng = Rng(seed)
    return [rng.bytes(size) for _ in range(count)]


class Nor:
    """MicroPython's extended block protocol over `sectors` (a number: so many blank ones of 4 KiB); counts.

    `cut`: (operation number, model) of a power cut, see `torn`. `log`: a list that gets (sectors before,
    operation) of each program and erase. `garble`: positions whose programming goes wrong, silently.
    """

    def __init__(self, sectors, cut=None, log=None):
        self.sectors = pattern("blank", sectors, 4096) if isinstance(sectors, int) else list(sectors)
        self.size = len(self.sectors[0])
        self.cut = cut
        self.log = log
        self.garble = ()
        self.operations = 0
        self.reads = self.bytes_read = self.programs = self.bytes_programmed = self.erases = 0

    def readblocks(self, n, buf, off=0):
        assert off + len(buf) <= self.size
        self.reads += 1
        self.bytes_read += len(buf)
        memoryview(buf)[:] = self.sectors[n][off : off + len(buf)]

    def writeblocks(self, n, buf, off=None):
        assert off is not None, "without an offset this would erase"
        assert off + len(buf) <= self.size
        data = bytes(buf)
        for i in range(len(data)):
            assert self.sectors[n][off + i] & data[i] == data[i], "programming cannot set a bit"
        self.programs += 1
        self.bytes_programmed += len(data)
        if n in self.garble:
            data = bytes([data[0] & 0xFE]) + data[1:] if data[0] & 1 else bytes(len(data))
        self._do((n, off, data))

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.sectors)
        if op == 5:
            return self.size
        if op == 6:
            self.erases += 1
            self._do((arg, None, None))
        return 0

    def _do(self, operation):
        if self.log is not None:
            self.log.append((list(self.sectors), operation))
        n = operation[0]
        if self.cut is not None and self.cut[0] == self.operations:
            self.sectors[n] = torn(self.sectors[n], operation, self.cut[1])
            raise PowerCut
        self.operations += 1
        self.sectors[n] = torn(self.sectors[n], operation, ("prefix", None))


def torn(old, operation, model):
    """What a sector is after an operation that power left in the middle.

    Models: ("prefix", k) the first k bytes are done (None: all); ("half", k) then the next byte in part;
    ("bits", seed) any subset of the bits; ("bytes", seed) any subset of the bytes; ("unstable", seed), erase
    only: anything, as the part first clears what it then sets.
    """
    kind, k = model
    _, off, data = operation
    size = len(old)
    if data is None:
        off, target = 0, b"\xff" * size
    else:
        target = data
    span = len(target)
    if kind == "prefix":
        done = span if k is None else min(k, span)
        return old[:off] + _onto(old[off : off + done], target[:done], data) + old[off + done :]
    if kind == "half":
        k = min(k, span - 1)
        head = torn(old, operation, ("prefix", k))
        mixed = head[off + k] & (target[k] | 0x5A) if data is not None else head[off + k] | 0x5A
        return head[: off + k] + bytes([mixed]) + head[off + k + 1 :]
    rng = Rng(k)
    share = 1 + rng.below(7)  # eighths of what there was to do
    new = bytearray(old)
    whole = _onto(old[off : off + span], target, data)
    for i in range(span):
        was = old[off + i]
        change = was ^ whole[i]
        if kind == "unstable":
            new[off + i] = rng.below(256) if rng.below(8) < share else was
        elif change and kind == "bytes":
            new[off + i] = whole[i] if rng.below(8) < share else was
        elif change:
            for bit in range(8):
                if change >> bit & 1 and rng.below(8) < share:
                    new[off + i] ^= 1 << bit
    return bytes(new)


def _onto(old, target, data):
    if data is None:
        return target
    return bytes([a & b for a, b in zip(old, target)])  # noqa: B905 - MicroPython's zip has no strict


def models(operation, seed, size):
    """The cuts worth trying for an operation: every kind, at several places, different ones for each seed."""
    _, _, data = operation
    if data is None:
        places = (0, 32, 60, size // 2, size - 4)
        found = [("prefix", k) for k in places] + [("half", 8)]
        kinds = ("bits", "bytes", "unstable")
    else:
        span = len(data)
        places = {0, 1, 2, span // 2, max(0, span - 5), span - 1, span, 1 + seed % span}
        found = [("prefix", k) for k in sorted(places)] + [("half", seed % span), ("half", span - 1)]
        kinds = ("bits", "bytes")
    for kind in kinds:
        found.extend([(kind, 8 * seed + k) for k in range(3)])
    return found


def flipped(sectors, pos, offset, bit):
    """A copy with one bit turned over."""
    copy = list(sectors)
    sector = bytearray(copy[pos])
    sector[offset] ^= 1 << bit
    copy[pos] = bytes(sector)
    return copy
