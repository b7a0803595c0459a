"""Keeps the e-paper of a button kiosk showing the question that is asked, or why none is. Knows no chip and no layout.

The question's texts, the fonts and the code that draws are in memory only while it draws, which is once in weeks; the
glass keeps its picture without power. Invariant: drawing begins only between visits and gives way to a press.
"""

import asyncio
import gc
import sys

from kiosk.compat import const

_POLL_S = const(1)
_AGAIN_S = const(60)  # after a drawing that failed: most likely there is more memory then
# Each update by difference leaves a little of the page before: after some of them, and daily, all of it is refreshed.
_MOST_PARTS = const(5)
_DAY_TENTHS = const(864000)
_STATES = ("ready", "out", "full", "wait")  # thanks are given by lights and sound: paper is too slow for them
# Each is loaded on its own, so that a press waits for one of them at most.
_CODE = ("raster", "fit", "page", "fonts", "canvas", "page_paper", "paper")
_LANGUAGES = const(3)  # as many as the page shows


class Paper:
    """`quiet()` says that nobody is at the kiosk; `uptime` has `tenths()`. Hears from `board.show` what is to be seen."""

    def __init__(self, board, sets, settings, uptime, quiet):
        self._board = board
        self._sets = sets
        self._settings = settings
        self._uptime = uptime
        self._quiet = quiet
        self._state = None
        self._drawn = None  # (state, hash of the set, language) on the glass, as far as this run knows
        self._parts = 0
        self._full_at = 0
        self._show = board.show
        board.show = self.hear

    def hear(self, what):
        """Stands before `board.show`."""
        if what.get("screen") in _STATES:
            self._state = what["screen"]
        self._show(what)

    async def run(self, beat):
        while True:
            beat()
            wait_s = _POLL_S
            if self._state is not None and self._quiet():
                wanted = (self._state, self._sets.asked, self._settings.get("language"))
                stale = self._uptime.tenths() - self._full_at >= _DAY_TENTHS
                if wanted != self._drawn or stale:
                    wait_s = await self._draw(wanted, stale)
            await asyncio.sleep(wait_s)

    async def _draw(self, wanted, stale):
        """Seconds to wait before the next look."""
        before = self._drawn
        full = stale or before is None or before[1:] != wanted[1:] or self._parts >= _MOST_PARTS
        failure = None
        try:
            # Parsing first: it needs the most, and what it needs is let go before the code is there.
            view = self._view(wanted[2]) if wanted[0] == "ready" else None
            gc.collect()
            for name in _CODE:
                __import__("screens." + name)
                await asyncio.sleep(0)
            draw = sys.modules["screens.paper"].draw
            await draw(self._board.display, self._board.assets, {"page": wanted[0]}, view, 0, full)
        except (OSError, ValueError, KeyError, IndexError, MemoryError) as error:
            failure = error
        draw = view = None
        for name in [name for name in sys.modules if name.split(".")[0] == "screens"]:
            del sys.modules[name]
        gc.collect()
        if failure is not None:
            self._drawn = None
            self._board.log("paper: not drawn, again in %d s: %r" % (_AGAIN_S, failure))
            return _AGAIN_S
        self._drawn = wanted
        self._parts = 0 if full else self._parts + 1
        if full:
            self._full_at = self._uptime.tenths()
        return _POLL_S

    def _view(self, language):
        """What the page needs of the set: the question in the languages that it shows, the first one first."""
        view = self._sets.read_asked()
        codes = view["languages"]
        first = codes[language] if language < len(codes) else codes[0]
        codes = ([first] + [code for code in codes if code != first])[:_LANGUAGES]
        at = view["button"]["question"]
        for question in view["questions"]:
            if question["position"] == at:
                texts = {code: question["text"][code] for code in codes}
                labels = {code: question["labels"][code] for code in codes}
                asked = {"position": at, "text": texts, "labels": labels}
                return {"languages": codes, "questions": [asked], "button": {"question": at}}
        raise ValueError("question set: does not hold the question it asks")
