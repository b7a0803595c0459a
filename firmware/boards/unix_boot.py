"""Starts a virtual kiosk: MicroPython's unix port runs the firmware from a flash image, as an ESP32 would.

    micropython -X heapsize=128K unix_boot.py <flash image> [reset cause] [file of the screen]

Runs on the host and is not in the image. It finds the partitions by the image's own table, makes littlefs
the root (the host's files are out of reach then, as on the device) and hands the journal's flash and NVS to
the board; an image with a screen gets the file of its pixels, a kiosk that sleeps (HYMIO_RTC) its memory.
Flash behaves as NOR flash does: writing only
clears bits, erasing sets a sector to 0xFF in several steps.
"""

import os
import sys
from struct import unpack_from

import vfs
from micropython import const

# This file is compiled where it runs, so each name in it, of locals too, stays in the heap for good: words
# that the firmware has anyway cost nothing.
_SECTOR = const(4096)
_BLANK = b"\xff" * 512


class Flash:
    """A partition as MicroPython's extended block device over the open image.

    Each write is one system call: what was written survives SIGKILL. `sync`: it goes to the host's disk as
    well, so that it survives the host's power cut too, for 0.1 ms on an SSD.
    """

    def __init__(self, file, offset, size, sync):
        self._file = file
        self._offset = offset
        self._count = size // _SECTOR
        self._sync = sync
        self._buffer = bytearray(64)

    def readblocks(self, pos, buf, off=0):
        self._file.seek(self._offset + pos * _SECTOR + off)
        self._file.readinto(buf)

    def writeblocks(self, pos, buf, off=None):
        if off is None:
            for i in range(len(buf) // _SECTOR):
                self._erase(pos + i)
            off = 0
        self._program(self._offset + pos * _SECTOR + off, memoryview(buf))
        if self._sync:
            self._file.flush()

    def ioctl(self, op, pos):
        if op == 4:
            return self._count
        if op == 5:
            return _SECTOR
        if op == 6:
            self._erase(pos)
        return 0

    def _program(self, at, buf):
        held = self._buffer
        for start in range(0, len(buf), 64):
            part = buf[start : start + 64]
            size = len(part)
            self._file.seek(at + start)
            self._file.readinto(held, size)
            for i in range(size):
                held[i] &= part[i]
            self._file.seek(at + start)
            self._file.write(held if size == 64 else memoryview(held)[:size])

    def _erase(self, pos):
        self._file.seek(self._offset + pos * _SECTOR)
        for _ in range(_SECTOR // len(_BLANK)):
            self._file.write(_BLANK)


def stop(error):
    sys.stderr.write(error + "\n")
    sys.exit(2)


def partitions(file):
    """{name: (offset, size)} by the table at 0x8000: rows of 32 bytes, at most 0xC00 bytes."""
    file.seek(0, 2)
    end = file.tell()
    file.seek(0x8000)
    buf = file.read(0xC00)
    found = {}
    for at in range(0, len(buf) - 31, 32):
        magic, _, _, offset, size = unpack_from("<HBBII", buf, at)
        if magic != 0x50AA:
            break
        if offset + size <= end:
            found[buf[at + 12 : at + 28].split(b"\0")[0].decode()] = (offset, size)
    for name in ("nvs", "journal", "vfs"):
        if name not in found:
            stop("flash image: no partition '%s' (damaged table or image too small)" % name)
    return found


def start(path, *screen):
    try:
        file = open(path, "r+b")
    except OSError as error:
        stop("flash image %s: cannot be opened (%s)" % (path, error))
    screen = [open(name, "r+b") for name in screen]
    rtc = os.getenv("HYMIO_RTC")  # the file that stands for the memory a sleeping chip keeps
    rtc = open(rtc, "r+b") if rtc else None
    found = partitions(file)
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(Flash(file, *found["vfs"], False), progsize=32, readsize=32, lookahead=32), "/")
    # `.frozen` holds asyncio; the first entry makes `import kiosk` look in the root.
    sys.path[:] = ["", ".frozen", "/lib"]
    os.chdir("/")

    import nvs_image

    offset, size = found["nvs"]

    def read(at, size):
        file.seek(offset + at)
        return file.read(size)

    import board

    # Only the journal promises something, so only it pays for syncing.
    board.attach(Flash(file, *found["journal"], True), nvs_image.reader(read, size))
    if rtc:
        import unix_sleep

        unix_sleep.plug(board, rtc)
    try:
        import unix_display
    except ImportError:
        return  # this model has no screen
    unix_display.plug(board, *screen)


if len(sys.argv) < 2:
    stop("usage: micropython -X heapsize=128K unix_boot.py <flash image> [reset cause]")
start(sys.argv[1], *sys.argv[3:])
# What only served the start gives its heap back.
del sys.modules["nvs_image"]
for name in ("start", "stop", "partitions"):
    del globals()[name]
try:
    for name in ("boot", "main"):
        __import__(name)
except KeyboardInterrupt:
    # SIGINT is how the runner asks for a clean end.
    sys.exit(0)
