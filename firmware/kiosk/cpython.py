"""What MicroPython has and CPython lacks, for tests: `const` and the tick counter. No kiosk loads it."""

from time import monotonic_ns  # type: ignore[attr-defined] # the stubs are MicroPython's

_TICKS_PERIOD = 1 << 30  # wraps where the ESP32 port's counter wraps, so that wrapping is tested too


def const(value):
    return value


def ticks_ms():
    """Milliseconds of a counter that wraps: only to be compared by `ticks_diff`."""
    return monotonic_ns() // 1_000_000 % _TICKS_PERIOD


def ticks_add(ticks, delta):
    return (ticks + delta) % _TICKS_PERIOD


def ticks_diff(later, earlier):
    """Signed distance in ms; right as long as the two are less than half a period apart."""
    half = _TICKS_PERIOD // 2
    return (later - earlier + half) % _TICKS_PERIOD - half
