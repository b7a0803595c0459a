"""A small value kept on littlefs as two whole copies, each with a serial number and a CRC. Knows no meaning.

Invariant: a power cut during `save` leaves the value before or the value after, never a mixture.
"""

import os
import struct

from kiosk.compat import const, crc32

_MAGIC = const(0x314D5948)  # "HYM1"
_HEADER_BYTES = const(16)  # four u32: magic, serial, length, crc32(body, serial)


def make_folder(path):
    """Make `path` unless it is there; raises OSError when that cannot be done."""
    try:
        os.mkdir(path)
    except OSError:
        os.stat(path)  # raises when it was something else than "exists"


def kept(path):
    """Whether anything was ever saved in Store(path)."""
    for copy in (0, 1):
        try:
            os.stat("%s.%d" % (path, copy))
            return True
        except OSError:
            pass
    return False


class Store:
    """`Store(path)` keeps `path.0` and `path.1` and writes the older one."""

    def __init__(self, path):
        self._path = path
        self._serial = 0

    def load(self):
        """The newest whole body (bytes), or None when neither copy is whole."""
        best = None
        for copy in (0, 1):
            body = self._read(copy)
            if body is not None:
                best = body
        return best

    def save(self, body):
        """Durable on return. Raises OSError when the flash is full."""
        serial = self._serial + 1
        with open("%s.%d" % (self._path, serial & 1), "wb") as file:
            file.write(struct.pack("<IIII", _MAGIC, serial, len(body), crc32(body, serial)))
            file.write(body)
        self._serial = serial

    def _read(self, copy):
        """Body of one copy when it is whole and newer than what was seen before."""
        try:
            with open("%s.%d" % (self._path, copy), "rb") as file:
                header = file.read(_HEADER_BYTES)
                body = file.read()
        except OSError:
            return None
        if len(header) < _HEADER_BYTES:
            return None
        magic, serial, length, crc = struct.unpack("<IIII", header)
        if magic != _MAGIC or length != len(body) or crc != crc32(body, serial) or serial <= self._serial:
            return None
        self._serial = serial
        return body
