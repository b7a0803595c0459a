"""The few names that MicroPython and CPython spell differently, under one spelling.

Every other module of the firmware imports them from here and so runs unchanged on both.
Knows nothing of kiosks.
"""

from binascii import crc32  # crc32(data, start): zlib's, unsigned, the same on both

try:
    from time import ticks_add, ticks_diff, ticks_ms

    from micropython import const
except ImportError:
    from kiosk.cpython import const, ticks_add, ticks_diff, ticks_ms

__all__ = ("const", "crc32", "ticks_add", "ticks_diff", "ticks_ms")
