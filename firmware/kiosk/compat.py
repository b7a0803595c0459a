"""The few names that MicroPython and CPython spell differently, under one spelling.

Every other module of the firmware imports them from here and so runs unchanged on both.
Knows nothing of kiosks.
"""

from binascii import crc32  # crc32(data, start): zlib's, unsigned, the same on both

try:
    from time import ticks_add, ticks_diff, ticks_ms

    from micropython import const
except ImportError:
    from time import monotonic_ns

    # Wraps where the ESP32 port's counter wraps, so that wrapping is tested too.
    TICKS_PERIOD = 1 << 30

    def const(value):
        return value

    def ticks_ms():
        """Milliseconds of a counter that wraps: only to be compared by `ticks_diff`."""
        return monotonic_ns() // 1_000_000 % TICKS_PERIOD

    def ticks_add(ticks, delta):
        return (ticks + delta) % TICKS_PERIOD

    def ticks_diff(later, earlier):
        """Signed distance in ms; right as long as the two are less than half a period apart."""
        half = TICKS_PERIOD // 2
        return (later - earlier + half) % TICKS_PERIOD - half


__all__ = ("const", "crc32", "ticks_add", "ticks_diff", "ticks_ms")
