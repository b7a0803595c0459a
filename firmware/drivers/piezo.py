"""A passive piezo on a PWM: plays the kiosk's tunes so that nothing waits for them. Knows no kiosk and no pin.

Invariant: silent whenever no tune is played, also when the player was stopped in the middle of one.
"""

from kiosk.compat import const

_LOUD = const(32768)
# (Hz, ms); 2.7 kHz is where a small piezo is loudest, the refusal is low so that nobody takes it for thanks.
_TUNES = {
    "thanks": ((2093, 60), (2637, 90)),
    "refused": ((440, 250),),
    "card": ((1568, 80), (2093, 80), (2637, 160)),
    "fault": ((440, 120), (0, 80), (440, 120)),
}


class Piezo:
    """pwm: with `freq` and `duty_u16`; started: an event with `set` and `wait`; pause(seconds): coroutine."""

    def __init__(self, pwm, started, pause):
        self._pwm = pwm
        self._started = started
        self._pause = pause
        self._tune = _TUNES["thanks"]
        pwm.duty_u16(0)

    def play(self, name):
        """Begin tune `name` after the one that is being played; of several that wait the last is played."""
        self._tune = _TUNES[name]
        self._started.set()

    async def run(self, beat):
        """Plays for ever; beat() before each tune."""
        while True:
            await self._started.wait()
            beat()
            try:
                for hertz, milliseconds in self._tune:
                    if hertz:
                        self._pwm.freq(hertz)
                    self._pwm.duty_u16(_LOUD if hertz else 0)
                    await self._pause(milliseconds / 1000)
            finally:
                self._pwm.duty_u16(0)
