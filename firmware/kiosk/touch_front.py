"""The way of a touch: panel, visit, recorder and screen tied together. Knows no pixel, no pin and no network.

Invariants: a touch is seen to be taken before anything is written; an answer is written before the page that thanks
for it or asks the next is drawn; a drawing that fails loses nothing but time. Between two bands of a drawing others
run and the panel is read.
"""

import asyncio
import gc

from kiosk import record
from kiosk.compat import const, ticks_diff, ticks_ms
from kiosk.given import COMPLETE
from kiosk.journal import JournalFull
from kiosk.said import Said
from kiosk.touch_screen import Screen
from kiosk.touches import Touches
from kiosk.visit import TYPING, Visit

_COLLECT_BYTES = const(
    65536
)  # pages are made of many small things: collect when the visitor reads, not between
_LONGEST_MS = const(1000)
_TRY_AGAIN_MS = const(10000)  # after flash that failed
_STARTING_MS = const(30000)  # without a set: it may be on its way
# A fault of the server must not close a kiosk for longer than anybody cleans.
_LONGEST_CLEANING_MS = const(4 * 3600 * 1000)


def opened(board, recorder, sets, clock, settings):
    """The front of a board with `display`, `touch` and `assets`."""
    from screens.canvas import BAND_LINES, Canvas
    from screens.fonts import load, pictures
    from screens.pages import build
    from screens.painter import Painter
    from screens.raster import RGB565

    # What is large and stays comes first, while the heap is whole. Larger letters and faces are few on a page, and not
    # drawn for each letter that is typed: they are read from their files, and 120 kB stay free.
    fonts = load(board.assets, ("s",))
    fonts.update(load(board.assets, ("m", "l"), False))
    shown = pictures(board.assets, "touch", False)
    painter = Painter(board.display, Canvas(board.display.width, BAND_LINES, RGB565))

    def page(scene, view, language, mode):
        return build(scene, view, language, mode, fonts, shown, painter.page)

    if hasattr(gc, "threshold"):
        gc.threshold(_COLLECT_BYTES)
    return TouchFront(board, recorder, sets, clock, settings, Screen(board, painter, page), ticks_ms())


class TouchFront:
    """`.answered()` is called after each step in which something was recorded.
    `stuck_faces` and `ignored` are for the report.
    """

    def __init__(self, board, recorder, sets, clock, settings, screen, now_ms):
        self.screen = screen
        self.touches = Touches(board.display.width, settings.get)
        self.ignored = self.touches.ignored
        self.answered = None
        self.said = Said(settings.get, clock)
        self._board = board
        self._recorder = recorder
        self._sets = sets
        self._clock = clock
        self._settings = settings
        self._visit = None
        sets.on_let_go = self._let_go
        self._started_ms = now_ms
        self._starting = True
        self._flags = 0
        self._news = False
        self._refused_ms = now_ms
        self._waits_for_room = False
        self._taking = False  # what a visitor did is having its effect: until it has, thanks would be a lie
        self._closed = False  # by the server, for cleaning
        self._fault = None

    async def run(self, beat):
        """The task: started again after a crash, it goes on with the visit where it was."""
        self.begin(ticks_ms())
        while True:
            beat()
            self.step(ticks_ms())
            if self.screen.busy:
                await asyncio.sleep(0)
            else:
                try:
                    await asyncio.wait_for(self._board.wait_edge(), self.due_ms(ticks_ms()) / 1000)
                except asyncio.TimeoutError:
                    pass

    def begin(self, now_ms):
        """The task starts, perhaps after a crash: whether an answer that was being taken is in flash, nobody knows."""
        self.screen.anew()
        if self._taking:
            self._refuse(RuntimeError("crashed while an answer was taken"), now_ms)

    def step(self, now_ms):
        """Read the panel once, do what that and the time mean, draw one band."""
        panel = self._board.touch
        point = self.touches.sample(panel.read(), panel.fingers, now_ms)
        if point is not None:
            self._touch(point, now_ms)
            self.said.touched(now_ms)
        elif self.touches.just_ignored is not None:
            self.said.touched(now_ms)
            if self._visit is not None:
                self._visit.touch(now_ms)  # somebody is there
            self._board.show({"ignored": self.touches.just_ignored})
        self._tick(now_ms)
        self.screen.draw(now_ms, point is not None, self._looks)
        if self._news:
            self._news = False
            if self.answered is not None:
                self.answered()

    def due_ms(self, now_ms):
        """Milliseconds until `step` has something to do even if nobody touches."""
        due = min(self.touches.due_ms(), _LONGEST_MS)
        if self.screen.again_ms is not None:
            due = min(due, ticks_diff(self.screen.again_ms, now_ms))
        if self._visit is not None:
            visit = self._visit.due_ms(now_ms)
            if visit is not None:
                due = min(due, visit)
        return max(1, due)

    def idle(self, now_ms):
        """Nobody is near, nothing is drawn: what can wait may be done now."""
        visit = self._visit
        return (
            not self.screen.busy
            and self.touches.free
            and (visit is None or visit.idle or visit.page == "full")
        )

    def stuck_faces(self):
        """[0] when the panel is held down or broken."""
        return [0] if self._board.touch.fault else self.touches.stuck_faces()

    # A touch

    def _touch(self, point, now_ms):
        if self._visit is None or self._closed:
            if self._closed:
                self.ignored["cleaning"] += 1
            return
        if self._visit.place != self.screen.place:
            self.ignored["repeat"] += 1  # meant for a page that is going, or by chance for one that comes
            return
        action = self.screen.press(point)
        if action is None:
            self._visit.touch(now_ms)
            return
        self._taking = self._visit.page != "thanks"
        try:
            self._flags = record.FLAG_SIMULATED if self._board.simulated() else 0
            entry = self._act(action, now_ms)
            if entry is not None:
                self._record(entry)
            self._taking = False
        except (JournalFull, OSError, MemoryError) as error:
            self._refuse(error, now_ms)
            return
        if entry is not None and entry[3] == COMPLETE:
            self._sound("thanks")

    def _act(self, action, now_ms):
        """What was felt has its effect: for a key that memory did not suffice for, there is some after a collection."""
        visit = self._visit
        written = visit.written
        try:
            return visit.act(action, now_ms)
        except MemoryError:
            if visit.page != "text" or action[0] not in TYPING:
                raise  # something may have come of it: it is refused
            gc.collect()
        return visit.act(action, now_ms) if visit.written == written else None

    def _record(self, entry):
        position, language, value, flags, body, mark = entry
        self._recorder.answer(
            self._visit.view["number"], position, language, value, flags | self._flags, body, mark
        )
        self._recorder.stored()
        self._news = True

    def _refuse(self, error, now_ms):
        if not self._taking:
            gc.collect()  # it was but leaving the thank-you: time does the same again
            return
        self._refused_ms = now_ms
        self._waits_for_room = isinstance(error, JournalFull)
        self._visit.refused(now_ms)
        self._taking = False  # before it is counted, and after all that may fail
        self._recorder.refuse(error)
        self._sound("refused")
        self._recorder.note_refused()

    # Time

    def _tick(self, now_ms):
        self._recorder.note_refused()
        visit = self._visit
        if visit is not None:
            self._taking = not visit.idle and visit.page not in ("thanks", "full")
            try:
                entry = visit.end(now_ms) if self.touches.cleaning and not visit.idle else visit.tick(now_ms)
                if entry is not None:
                    self._record(entry)
                self._taking = False
            except (JournalFull, OSError, MemoryError) as error:
                self._refuse(error, now_ms)
            if visit.page == "full" and self._may_go_on(now_ms):
                visit.reset(now_ms)
        if visit is None or visit.idle:
            self._between(now_ms)
        self.touches.typing = self._visit is not None and self._visit.page == "text"
        self._watch_panel()

    def _may_go_on(self, now_ms):
        """Receipts make room; flash that failed may not fail again."""
        if self._waits_for_room:
            return not self._recorder.full()
        return ticks_diff(now_ms, self._refused_ms) >= _TRY_AGAIN_MS

    def _between(self, now_ms):
        """No visitor is there: another set, or cleaning."""
        self._closed = self._cleaning_ordered()
        if self.screen.busy or not self.touches.free:
            return
        self._sets.switch()
        view = self._sets.active
        if view is None:
            self._visit = None
            if self._starting and ticks_diff(now_ms, self._started_ms) >= _STARTING_MS:
                self._starting = False
        elif self._visit is None or self._visit.view is not view:
            self._starting = False
            self._visit = Visit(view, self._board.random, self._settings.get, now_ms)
        else:
            self._visit.look()

    def _let_go(self):
        """The set's texts make room for the next one's."""
        self._visit = self.screen.shown = None

    def _cleaning_ordered(self):
        until_ms = self._settings.get("cleaning")
        now = self._clock.now() if until_ms is not None else None
        return now is not None and now[0] < until_ms <= now[0] + _LONGEST_CLEANING_MS

    def _watch_panel(self):
        fault = self._board.touch.fault
        stuck = self.stuck_faces()
        if (fault, stuck) != self._fault:
            if fault:
                self._board.log(fault)
            if stuck or self._fault:
                self._board.show({"fault": stuck})
            if stuck:
                self._sound("fault")
            self._fault = (fault, stuck)

    def _looks(self, now_ms):
        """What is to be seen now: (scene, view, language, mode)."""
        visit = self._visit
        closed = self._closed or self.touches.cleaning
        note = self.said.look(visit is not None and visit.idle and not closed, now_ms)
        if closed:
            scene = {"page": "wait"}
        elif visit is None:
            scene = {"page": "start" if self._starting else "out"}
        else:
            scene = visit.scene(now_ms)
            if note is not None:
                scene["said"] = note
        if "question" in scene or scene["page"] in ("thanks", "phone"):
            return scene, visit.view, visit.language, visit.mode
        return scene, None, 0, ()

    def _sound(self, tune):
        if self._settings.get("sound"):
            self._board.sound(tune)
