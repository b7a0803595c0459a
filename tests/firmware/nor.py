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
    operation) of each program and erase. `garble`: positions whose programming goes wrong, silently; `stuck`: those
    whose erase does nothing. `erased`: how often each was erased.
    """

    def __init__(self, sectors, cut=None, log=None):
        self.sectors = pattern("blank", sectors, 4096) if isinstance(sectors, int) else list(sectors)
        self.size = len(self.sectors[0])
        self.cut = cut
        self.log = log
        self.garble = ()
        self.stuck = ()
        self.erased = [0] * len(self.sectors)
        self.operations = 0
        self.reads = self.bytes_read = self.programs = self.bytes_programmed = self.erases = 0

    def readblocks(self, n, buf, off=0):
        end = off + len(buf)
        assert end <= self.size
        self.reads += 1
        self.bytes_read += len(buf)
        buf[:] = self.sectors[n][off:end]

    def writeblocks(self, n, buf, off=None):
        assert off is not None, "without an offset this would erase"
        data = bytes(buf)
        assert off + len(data) <= self.size
        assert _and(self.sectors[n][off : off + len(data)], data) == data, "programming cannot set a bit"
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
            self.erased[arg] += 1
            if arg not in self.stuck:
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
        self.sectors[n] = _prefix(self.sectors[n], operation, None)


def torn(old, operation, model):
    """What a sector is after an operation that power left in the middle.

    Models: ("prefix", k) the first k bytes are done (None: all); ("half", k) then the next byte in part;
    ("bits", seed) any subset of the bits; ("bytes", seed) any subset of the bytes; ("unstable", seed), erase
    only: anything, as the part first clears what it then sets.
    """
    kind, k = model
    if kind == "prefix":
        return _prefix(old, operation, k)
    _, off, data = operation
    if data is None:
        off, data = 0, b"\xff" * len(old)
    span = len(data)
    if kind == "half":
        k = min(k, span - 1)
        head = _prefix(old, operation, k)
        mixed = head[off + k] | 0x5A if operation[2] is None else head[off + k] & (data[k] | 0x5A)
        return head[: off + k] + bytes([mixed]) + head[off + k + 1 :]
    rng = Rng(k)
    share = 1 + rng.below(7)  # eighths of what there was to do
    if kind == "bits":
        mask = 0
        for digit in (1, 2, 4):
            noise = int.from_bytes(_noise(rng, span), "little")
            mask = mask | noise if share & digit else mask & noise
    else:
        mask = int.from_bytes(bytes([255 if byte & 7 < share else 0 for byte in _noise(rng, span)]), "little")
    was = int.from_bytes(old[off : off + span], "little")
    if kind == "unstable":
        done = int.from_bytes(_noise(rng, span), "little")
    else:
        done = int.from_bytes(_prefix(old, operation, None)[off : off + span], "little")
    new = was ^ ((was ^ done) & mask)
    return old[:off] + new.to_bytes(span, "little") + old[off + span :]


def _prefix(old, operation, count):
    """The sector after the first `count` bytes of an operation; None: all of it."""
    _, off, data = operation
    if data is None:
        return b"\xff" * len(old) if count is None else b"\xff" * min(count, len(old)) + old[count:]
    done = _and(old[off : off + len(data)], data if count is None else data[:count])
    return old[:off] + done + old[off + len(done) :]


def _and(old, data):
    """Bit by bit, over the length of `data`."""
    size = len(data)
    return (int.from_bytes(old[:size], "little") & int.from_bytes(data, "little")).to_bytes(size, "little")


_POOL = []


def _noise(rng, count):
    """So many random bytes, at most a sector: a stretch of a pool that is made once, as it is slow to make."""
    if not _POOL:
        _POOL.append(Rng(0).bytes(2 * 4096))
    start = rng.below(4096)
    return _POOL[0][start : start + count]


def models(operation, seed, size):
    """The cuts worth trying for an operation: every kind, at several places, different ones for each seed."""
    _, _, data = operation
    if data is None:
        places = (0, 32, 60, size // 2, size - 4)
        found = [("prefix", k) for k in places] + [("half", 8), ("half", seed % size)]
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
