"""What stands around a kiosk's modules that are handed any bytes: board, flash, wire; and what all checks know.

It checks nothing but what each part is handed. Runs on CPython and on MicroPython.
"""

import json

EPOCH = 0xC0FFEE01
NONCE = 464367618
FROM, TO, NEXT = 104, 120, 150
SERVER_MS = 1772438400000
DEVICE = "kiosk0000001"
FACES = 5
NAME_QUERY = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x04mqtt\x07palaute\x07example\x00\x00\x01\x00\x01"
LARGEST_NUMBER = 1 << 53
MOST_JSON_BYTES = 4096  # what the link hands on
MOST_REPORT_BYTES = 8 * 1024  # what the embedded broker takes from a kiosk; beyond it, it hangs up
MOST_PIECE_BYTES = 512
GOOD_RECEIPT = (
    b'{"server":777,"epoch":%d,"nonce":%d,"through":120,"seen":150,"fork":false,"time":%d,"rejected":[]}'
    % (EPOCH, NONCE, SERVER_MS)
)


class Board:
    """Enough of a board for a front; keeps the last lines of the log, as a crash report would."""

    name, model, firmware, build, slot, faces = "fuzz", "button5", "0", 1, "a", FACES
    root = "."

    def __init__(self):
        self.link = self
        self.lines = []
        self.thanked = 0
        self._count = 0

    def log(self, line):
        assert isinstance(line, str)
        self.lines = [line[:120]]

    def random(self, size):
        self._count += 1
        return bytes([(self._count * 167 + i * 59) & 0xFF for i in range(size)])

    def show(self, what):
        json.dumps(what)  # whatever is shown goes to a display or a host

    def sound(self, tune):
        self.thanked += tune == "thanks"

    def light(self, face, on):
        assert 0 <= face < self.faces

    def light_all(self, on):
        pass

    def simulated(self):
        return False

    def reset_cause(self):
        return 1

    def signal(self):
        return None

    def health(self):
        return {"supply": None, "temperature": None}

    def identity(self):
        return {"id": DEVICE, "tls": False, "host": "", "port": 0, "secret": ""}


class Flash:
    """A journal's partition in RAM."""

    def __init__(self, blocks):
        self._blocks = [bytearray(b"\xff" * 4096) for _ in range(blocks)]

    def readblocks(self, n, buf, off=0):
        buf[:] = memoryview(self._blocks[n])[off : off + len(buf)]

    def writeblocks(self, n, buf, off=0):
        self._blocks[n][off : off + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self._blocks)
        if op == 5:
            return 4096
        if op == 6:
            for i in range(4096):
                self._blocks[arg][i] = 0xFF
        return 0


class Told:
    """A journal that only remembers what it is told: what it does then is held by the journal's own tests."""

    boot = 1
    waiting = 20
    epoch = EPOCH

    def __init__(self):
        self.told = []

    def epochs(self):
        return [(EPOCH, 0, NEXT, 0)]

    def release(self, epoch, through):
        self.told.append(("release", epoch, through))

    def rewind(self, epoch, through):
        self.told.append(("rewind", epoch, through))

    def new_epoch(self, reason):
        self.told.append(("new_epoch", reason))


class Heard:
    """Stands behind the link for sync, desired and sets; keeps what it is handed."""

    def __init__(self):
        self.heard = []
        self._set = None

    def receipt(self, payload):
        assert len(payload) <= MOST_JSON_BYTES
        self.heard.append(("receipt", bytes(payload)))

    def apply(self, payload):
        assert len(payload) <= MOST_JSON_BYTES
        self.heard.append(("desired", bytes(payload)))

    def begin(self, size):
        self._set = bytearray()

    def write(self, piece):
        assert len(piece) <= MOST_PIECE_BYTES
        self._set += piece

    def finish(self):
        self.heard.append(("set", bytes(self._set)))


class Wire:
    """A stream of given bytes, a few at a time; its end is a closed connection."""

    received = 0

    def __init__(self, data):
        self._data = memoryview(data)

    async def readinto(self, view):
        assert len(view) <= MOST_JSON_BYTES
        count = min(len(view), len(self._data), 300)
        if not count:
            raise EOFError
        view[:count] = self._data[:count]
        self._data = self._data[count:]
        return count
