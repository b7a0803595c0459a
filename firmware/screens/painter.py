"""Brings pages onto a display: finds what differs from what is shown, and draws only that, band by band.

Knows no page's meaning and no chip. Invariant: when nothing is waiting, the display shows what a full drawing of the
last page would. What waits are rectangles, not drawings, so each band shows the newest page.
"""

import asyncio

from kiosk.compat import const

_OVERHANG = const(2)  # pixels that a letter may reach beyond its widget
_BAND_COST = const(1500)  # pixels: what opening one more window on the display costs beside sending them


class Painter:
    """`bytes` and `bands`: what was sent to the display so far."""

    def __init__(self, display, canvas):
        self._display = display
        self._canvas = canvas
        self._grain = 8 if canvas.mono else 1  # a byte of a one-bit display holds eight columns
        self._waiting = []  # rectangles [x, y, right, bottom] to be drawn, the most urgent first
        self.page = None
        self.pressed = None
        self.bytes = 0
        self.bands = 0

    def show(self, page):
        """Draw what differs from the page before; back when all of it is on the display."""
        self.change(page)
        while self.step():
            pass

    async def flow(self, page):
        """The same, letting others run between bands, so that a touch does not wait for a page."""
        self.change(page)
        while self.step():
            await asyncio.sleep(0)

    def change(self, page):
        """From now on `page` is what is to be seen; `step` draws it."""
        shown, self.page = self.page, page
        released, self.pressed = self.pressed, None
        whole = [0, 0, self._display.width, self._display.height]
        if shown is None or shown.theme is not page.theme:
            self._waiting = [whole]
            return
        for rect in _differing(shown.widgets, page.widgets, released):
            self._wait(rect)
        if sum([_pixels(rect) for rect in self._waiting]) > _pixels(whole) * 9 // 10:
            self._waiting = [whole]

    def step(self):
        """Draw one band; whether anything is waiting still."""
        if not self._waiting:
            return False
        rect = self._waiting[0]
        x, y, right, bottom = rect
        lines = min(bottom - y, self._canvas.lines(right - x))
        if y + lines == bottom:
            self._waiting.pop(0)
        else:
            rect[1] = y + lines
        self._draw(x, y, right - x, lines)
        return bool(self._waiting)

    def press(self, widget):
        """`widget` of the page shown is under a finger, None: no longer; drawn before anything that is waiting."""
        if self.page is None:
            return
        before, self.pressed = self.pressed, widget
        for changed in (before, widget):
            if changed is None or before is widget:
                continue
            x, y, right, bottom = self._bounds(changed.rect)
            lines = self._canvas.lines(right - x)
            for top in range(y, bottom, lines):
                self._draw(x, top, right - x, min(lines, bottom - top))

    def forget(self):
        """The display lost what it showed: the next page is drawn whole."""
        self.page = self.pressed = None
        self._waiting = []

    def _wait(self, rect):
        """Take a rectangle into those waiting, as one with another where that costs less than a window of its own."""
        new = self._bounds(rect)
        if new[0] >= new[2] or new[1] >= new[3]:
            return
        merged = True
        while merged:
            merged = False
            for other in self._waiting:
                whole = [
                    min(new[0], other[0]),
                    min(new[1], other[1]),
                    max(new[2], other[2]),
                    max(new[3], other[3]),
                ]
                if _pixels(whole) <= _pixels(new) + _pixels(other) + _BAND_COST:
                    self._waiting.remove(other)
                    new = whole
                    merged = True
                    break
        self._waiting.append(new)

    def _bounds(self, rect):
        """What has to be drawn for a widget: with overhang, upon the display, in whole bytes."""
        x, y, width, height = rect
        grain = self._grain
        return [
            max(0, x - _OVERHANG) // grain * grain,
            max(0, y - _OVERHANG),
            min(self._display.width, (x + width + _OVERHANG + grain - 1) // grain * grain),
            min(self._display.height, y + height + _OVERHANG),
        ]

    def _draw(self, x, y, width, height):
        canvas, theme = self._canvas, self.page.theme
        band = canvas.begin(x, y, width, height)
        canvas.fill(theme.paper)
        for widget in self.page.widgets:
            left, top, wide, high = widget.rect
            if (
                left - _OVERHANG < x + width
                and x < left + wide + _OVERHANG
                and top - _OVERHANG < y + height
                and y < top + high + _OVERHANG
            ):
                widget.draw(canvas, theme.pressed if widget is self.pressed else theme)
        self._display.write(x, y, width, height, band)
        self.bytes += len(band)
        self.bands += 1


def _differing(before, after, released):
    """Rectangles of the widgets that are not the same on both pages, in the same order."""
    rects = []
    start = 0  # what was found keeps its order, so that whatever lies over another still does
    for widget in after:
        for index in range(start, len(before)):
            if before[index].same(widget) and before[index] is not released:
                rects += [old.rect for old in before[start:index]]
                start = index + 1
                break
        else:
            rects.append(widget.rect)
    return rects + [old.rect for old in before[start:]]


def _pixels(rect):
    return (rect[2] - rect[0]) * (rect[3] - rect[1])
