"""Time on the kiosk: a counter that never wraps, and an estimate of UTC. Knows no network and no RTC.

Invariant: the true time lies within the stated uncertainty, as long as the crystal keeps 100 ppm.
"""

from kiosk.compat import const, ticks_diff

_DRIFT_PPM = const(100)  # modules are sold with 10-40 ppm; the rest is temperature and age
_DAY_MS = const(86_400_000)


class Uptime:
    """Milliseconds since the start, summed up from a tick counter that wraps (12.4 days on the device).

    `ticks` returns such ticks. Must be asked at least once in six days; each report does.
    """

    def __init__(self, ticks, ms=0):
        """`ms`: what it begins with, of a kiosk that slept."""
        self._ticks = ticks
        self._last = ticks()
        self._ms = ms

    def ms(self):
        now = self._ticks()
        self._ms += ticks_diff(now, self._last)
        self._last = now
        return self._ms

    def tenths(self):
        """The unit of records and batches."""
        return self.ms() // 100


class Clock:
    """What UTC probably is, from samples `(utc_ms, uncertainty_ms)` laid on the uptime."""

    def __init__(self, uptime):
        self._uptime = uptime
        self._estimate = None  # (UTC minus uptime, uncertainty, uptime when learned), all ms
        self._recorded = None  # the estimate that the last clock record of this run holds
        self.ahead_ms = (
            0  # what a record adds to its uncertainty: drift asleep, of its run before and behind it
        )

    def now(self):
        """`(utc_ms, uncertainty_ms)`, or None while no sample has come."""
        if self._estimate is None:
            return None
        offset, uncertainty, at = self._estimate
        uptime = self._uptime.ms()
        return uptime + offset, uncertainty + (uptime - at) * _DRIFT_PPM // 1_000_000

    def learn(self, utc_ms, uncertainty_ms):
        """Take a sample that is true at this moment; say whether a clock record must be written.

        Old and new are both bounds: where they overlap, the truth is in the overlap. Where they do not, one
        of the two clocks was set, and the newer one is believed.
        """
        uptime = self._uptime.ms()
        low, high = utc_ms - uncertainty_ms, utc_ms + uncertainty_ms
        if self._estimate is not None:
            known, wide = self.now()
            if known - wide <= high and low <= known + wide:
                low, high = max(low, known - wide), min(high, known + wide)
        middle = (low + high) // 2
        self._estimate = (middle - uptime, high - middle, uptime)
        return self.due()

    def kept(self):
        """What a kiosk that sleeps takes along: (UTC minus uptime, uncertainty) of this moment and the last record's
        estimate, None each when there is none."""
        if self._estimate is None:
            return None, None
        uptime = self._uptime.ms()
        utc_ms, uncertainty_ms = self.now()
        return (utc_ms - uptime, uncertainty_ms), self._recorded

    def resume(self, estimate, recorded, drift_ms):
        """Go on from what `kept` gave, less sure by the drift of the sleep. `recorded`: None for a new run."""
        if estimate is not None:
            self._estimate = (estimate[0], estimate[1] + drift_ms, self._uptime.ms())
            self._recorded = recorded

    def due(self):
        """Whether the run lacks a clock record, or its last one (a day old at least) no longer holds."""
        if self._estimate is None:
            return False
        if self._recorded is None:
            return True
        offset, uncertainty, at = self._recorded
        return self._uptime.ms() - at >= _DAY_MS and abs(self._estimate[0] - offset) > uncertainty

    def recorded(self):
        """To be called when a clock record with `now()` is in flash."""
        utc_ms, uncertainty_ms = self.now()
        uptime = self._uptime.ms()
        self._recorded = (utc_ms - uptime, uncertainty_ms, uptime)
