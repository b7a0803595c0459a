"""Starts a virtual kiosk: MicroPython's unix port runs the firmware from a flash image, as an ESP32 would.

    micropython -X heapsize=160K unix_boot.py <flash image> [reset cause]

Runs on the host and is not in the image. It finds the partitions by the image's own table, makes littlefs
the root (the host's files are out of reach then, as on the device) and hands the journal's flash and NVS to
the board. Flash behaves as NOR flash does: writing only clears bits, erasing sets a sector to 0xFF in
several steps.
"""

import os
import sys
from struct import unpack_from

import vfs
from micropython import const

_TABLE = const(0x8000)
_TABLE_END = const(0x8C00)
_SECTOR = const(4096)
_BLANK = b"\xff" * 512
# Each write to the image is one system call: what was written survives SIGKILL. Syncing to the host's disk
# as well makes an answer survive the host's power cut too, for 0.1 ms a press on an SSD (a person presses
# every few seconds). Only the journal promises something, so only it pays.
_SYNC_JOURNAL = const(True)


class Flash:
    """A partition as MicroPython's extended block device over the open image."""

    def __init__(self, image, base, size, sync):
        self._image = image
        self._base = base
        self._count = size // _SECTOR
        self._sync = sync
        self._held = bytearray(64)

    def readblocks(self, block, buf, off=0):
        self._image.seek(self._base + block * _SECTOR + off)
        self._image.readinto(buf)

    def writeblocks(self, block, buf, off=None):
        if off is None:
            for i in range(len(buf) // _SECTOR):
                self._erase(block + i)
            off = 0
        self._program(self._base + block * _SECTOR + off, memoryview(buf))
        if self._sync:
            self._image.flush()

    def ioctl(self, op, arg):
        if op == 4:
            return self._count
        if op == 5:
            return _SECTOR
        if op == 6:
            self._erase(arg)
        return 0

    def _program(self, at, buf):
        held = self._held
        for start in range(0, len(buf), 64):
            part = buf[start : start + 64]
            n = len(part)
            self._image.seek(at + start)
            self._image.readinto(held, n)
            for i in range(n):
                held[i] &= part[i]
            self._image.seek(at + start)
            self._image.write(held if n == 64 else memoryview(held)[:n])

    def _erase(self, block):
        self._image.seek(self._base + block * _SECTOR)
        for _ in range(_SECTOR // len(_BLANK)):
            self._image.write(_BLANK)


def stop(why):
    sys.stderr.write(why + "\n")
    sys.exit(2)


def _partitions(image):
    image.seek(0, 2)
    flash_size = image.tell()
    image.seek(_TABLE)
    table = image.read(_TABLE_END - _TABLE)
    found = {}
    for at in range(0, len(table) - 31, 32):
        magic, _, _, offset, size = unpack_from("<HBBII", table, at)
        if magic != 0x50AA:
            break
        if offset + size <= flash_size:
            found[table[at + 12 : at + 28].split(b"\0")[0].decode()] = (offset, size)
    for label in ("nvs", "journal", "vfs"):
        if label not in found:
            stop("flash image: no partition '%s' (damaged table or image too small)" % label)
    return found


def start(path):
    try:
        image = open(path, "r+b")
    except OSError as error:
        stop("flash image %s: cannot be opened (%s)" % (path, error))
    found = _partitions(image)
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(Flash(image, *found["vfs"], False), progsize=32, readsize=32, lookahead=32), "/")
    # `.frozen` holds asyncio; the first entry makes `import kiosk` look in the root.
    sys.path[:] = ["", ".frozen", "/lib"]
    os.chdir("/")

    import nvs_image

    base, size = found["nvs"]

    def read(offset, n):
        image.seek(base + offset)
        return image.read(n)

    import board

    board.attach(Flash(image, *found["journal"], _SYNC_JOURNAL), nvs_image.reader(read, size))


if len(sys.argv) < 2:
    stop("usage: micropython -X heapsize=160K unix_boot.py <flash image> [reset cause]")
start(sys.argv[1])
# What only served the start gives its heap back.
del sys.modules["nvs_image"]
for _name in ("start", "stop", "_partitions"):
    del globals()[_name]
try:
    for _name in ("boot", "main"):
        __import__(_name)
except KeyboardInterrupt:
    # SIGINT is how the runner asks for a clean end.
    sys.exit(0)
