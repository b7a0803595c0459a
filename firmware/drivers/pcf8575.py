"""The PCF8575 expander: sixteen outputs over I2C. Knows nothing of what hangs on them.

Invariant: a bus that fails costs what hangs on it and nothing else: it is counted and never raises, and the next change
sends all sixteen again.
Two bytes a write, P00-P07 first; a pin that is high gives 0.1 mA, one that is low takes 25 mA; all are high after power
on (NXP PCF8575 data sheet Rev. 4.1, 8.1, 8.2, 9).
"""


class Pcf8575:
    """i2c: with `writeto`, at most 400 kHz. errors: writes that failed; fault: the last one as a sentence, or None."""

    def __init__(self, i2c, address):
        self._i2c = i2c
        self._address = address
        self._levels = bytearray(b"\xff\xff")
        self.errors = 0
        self.fault = None

    def pin(self, number):
        """A function that sets the level of one output, P00 being 0 and P10 being 8."""

        def set_level(level):
            self.set(1 << number, bool(level) << number)

        return set_level

    def set(self, mask, levels):
        """Set the outputs of a mask, all at the same instant."""
        now = self._levels[0] | self._levels[1] << 8
        now = now & ~mask | levels & mask
        self._levels[0] = now & 0xFF
        self._levels[1] = now >> 8
        try:
            self._i2c.writeto(self._address, self._levels)
            self.fault = None
        except OSError as error:
            self.errors += 1
            self.fault = "expander at 0x%02x does not answer (%s)" % (self._address, error)
