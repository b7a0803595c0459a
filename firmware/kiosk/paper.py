"""Keeps the e-paper of a button kiosk showing the question that is asked, or why none is. Knows no chip and no layout.

The question's texts, the fonts and the code that draws are in memory only while it draws, which is once in weeks; the
glass keeps its picture without power. Invariant: drawing begins only between visits, and gives way to a press.
"""

import asyncio
import gc
import sys

from kiosk.compat import const, crc32

_POLL_S = const(1)
# After a drawing that failed, most likely for want of memory: soon once, then so seldom that no neighbour who wanted
# memory at the same moment is taken for one that keeps crashing (kiosk/supervisor.py).
_SOON_S = const(20)
_LATER_S = const(600)
# A sign of the kiosk's state is no reason to refresh the glass until it has lasted so long; what is drawn meanwhile for
# another reason has it already.
_SIGN_TENTHS = const(6000)
# Each update by difference leaves a little of the page before: after some of them, and daily, all of it is refreshed.
_MOST_PARTS = const(5)
_DAY_TENTHS = const(864000)


class Paper:
    """`quiet()`: nobody is at the kiosk; `uptime` has `tenths()`. Hears from `board.show` what is to be seen."""

    def __init__(self, board, sets, settings, uptime, quiet):
        self._board = board
        self._sets = sets
        self._settings = settings
        self._uptime = uptime
        self._quiet = quiet
        self._page = None
        self._drawn = None  # (page, file of the set, language) on the glass, as far as this run knows
        self._parts = 0
        self._full_at = 0
        self._failed = 0  # times in a row that drawing failed
        self.sign = None  # the program sets it
        self.facts = None  # function: what the service page says
        self._sign_drawn = None
        self._sign_at = 0  # when the sign was last as it is drawn
        self._known = None  # of a kiosk that slept: crc of what the glass shows
        self._show = board.show
        board.show = self.hear

    def hear(self, what):
        """Stands before `board.show`. Thanks are given by lights and sound: paper is too slow for them."""
        if what.get("screen", "thanks") != "thanks":
            self._page = what["screen"]
        self._show(what)

    def kept(self):
        """What a kiosk that sleeps takes along, for `resume`: its glass keeps the picture."""
        known = self._known if self._drawn is None else _crc(self._drawn)
        return known, self._full_at

    def resume(self, known, full_at):
        """Go on after a sleep. The controller has lost what it held: the next picture is a whole one."""
        self._known, self._full_at = known, full_at
        self._parts = _MOST_PARTS

    def settled(self):
        """What is to be seen is on the glass, or could not be brought there twice: once it was want of memory."""
        return self._failed > 1 or (self._drawn is not None and self._drawn == self._wanted())

    async def run(self, beat):
        while True:
            beat()
            wait_s = _POLL_S
            if self._page is not None and self._quiet():
                wait_s = await self._look()
            await asyncio.sleep(wait_s)

    async def _look(self):
        """Draw if something else is to be seen. Gives the seconds until the next look."""
        sign = self._sign_at_last()
        wanted = self._wanted()
        path = wanted[1]
        if self._known is not None and self._known == _crc(wanted):
            self._drawn = wanted
        self._known = None
        drawn = self._drawn
        now = self._uptime.tenths()
        full = drawn is None or drawn[1:] != wanted[1:] or now - self._full_at >= _DAY_TENTHS
        if wanted == drawn and not full and sign == self._sign_drawn:
            return _POLL_S
        full = full or self._parts >= _MOST_PARTS
        failure = None
        try:
            from screens.paper import draw

            board = self._board
            facts = self.facts() if wanted[0] == "service" else None
            sign = self.sign if facts is None else None
            await draw(board.display, board.assets, wanted[0], path, wanted[2], full, sign, facts)
        except (OSError, ValueError, KeyError, IndexError, MemoryError) as error:
            failure = error
        draw = None
        for name in [name for name in sys.modules if name.split(".")[0] == "screens"]:
            del sys.modules[name]
        gc.collect()
        self._failed = 0 if failure is None else self._failed + 1
        if failure is not None:
            self._drawn = None
            self._board.log("paper: not drawn: %r" % failure)
            return _LATER_S if self._failed > 1 else _SOON_S
        self._drawn = wanted
        self._sign_drawn = sign
        self._parts = 0 if full else self._parts + 1
        if full:
            self._full_at = now
        return _POLL_S

    def _sign_at_last(self):
        """The sign to be drawn: that on the glass until another one has lasted."""
        now = self._uptime.tenths()
        if self.sign == self._sign_drawn or self._page == "service":
            self._sign_at = now
        elif now - self._sign_at >= _SIGN_TENTHS:
            return self.sign
        return self._sign_drawn

    def _wanted(self):
        return self._page, self._sets.asked_path(), self._settings.get("language")


def _crc(seen):
    return crc32(repr(seen).encode(), 0)
