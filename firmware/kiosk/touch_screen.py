"""What is on a touch kiosk's display, one page after another. Knows no visitor, no flash and no network.

Invariants: a drawing that fails for want of memory is done again, and loses nothing but time; what a touch means is
asked of the page that is seen.
"""

import gc

from kiosk.compat import const, ticks_add, ticks_diff

_PATIENCE_MS = const(1000)  # after a drawing that memory did not suffice for


class Screen:
    """`page(scene, view, language, mode)` -> a page; `painter` shows it. `board.show` hears what page it is.

    `.busy`: something is to be drawn. `.place`: (page, question) that is on the display. `.shown`: (scene, view,
    language, mode) of the page that the painter has. `.again_ms`: when to draw again after memory did not suffice.
    """

    def __init__(self, board, painter, page):
        self.busy = False
        self.place = self.shown = self.again_ms = None
        self._board = board
        self._painter = painter
        self._page = page
        self._failed = False  # whether the last drawing did for want of memory
        self._told = None

    def anew(self):
        """Nothing is known of what is seen: the next drawing is a whole one."""
        self._painter.forget()
        self.shown = None
        self.busy = False

    def press(self, point):
        """A finger is here. The action of what it touched, which is seen to be touched; None when that is nothing."""
        page = self._painter.page
        widget = page.hit(point[0], point[1]) if page is not None else None
        if widget is None:
            return None
        try:
            self._painter.press(widget)
        except MemoryError:
            gc.collect()  # an answer that is not seen to be taken is taken all the same
        return widget.action

    def draw(self, now_ms, touched, looks):
        """Draw one band. `touched`: there may be another page; `looks(now_ms)`: (scene, view, language, mode) of it."""
        try:
            self._draw(now_ms, touched, looks)
        except MemoryError:
            self.again_ms = ticks_add(now_ms, _PATIENCE_MS) if self._failed else now_ms
            self._failed = True
            self.anew()
            if self.place is None:
                self._painter.page = None  # a touch means nothing on it any more
            gc.collect()
            self._board.log("screen: no memory to draw with")

    def _draw(self, now_ms, touched, looks):
        if self.again_ms is not None and ticks_diff(now_ms, self.again_ms) < 0:
            return
        if touched or not self.busy:
            self._turn(looks(now_ms))
        if self.busy:
            self.busy = self._painter.step()
            if not self.busy:
                self.again_ms, self._failed = None, False
                self._drawn()

    def _turn(self, looks):
        """Give the painter the page of now, if it is another one than it has."""
        if looks == self.shown:
            if self._painter.pressed is not None:
                self._painter.press(None)
            return
        if _place(looks[0]) != self.place:
            self.place = None
        self._painter.change(self._page(*looks))
        self.shown = looks
        self.busy = True

    def _drawn(self):
        """All of a page is on the display: say so, and tidy up while it is read."""
        scene = self.shown[0]
        if self.place is None:
            self.place = _place(scene)
            gc.collect()
        name = scene["page"]
        note = scene.get("said")
        told = {"screen": "ready" if name == "rest" else name, "page": name, "said": note and note["id"]}
        if getattr(self._board, "tells_targets", False):
            told["question"], told["language"] = scene.get("question"), self.shown[2]
            told["targets"] = [
                widget.action + widget.area
                for widget in self._painter.page.widgets
                if widget.action is not None
            ]
            self._board.show(told)  # not kept: it takes as much as the page
        elif told != self._told:
            self._told = told
            self._board.show(told)


def _place(scene):
    """As Visit.place: two scenes of one place give a touch the same meaning."""
    return scene["page"], scene.get("question")
