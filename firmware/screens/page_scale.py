"""Lays out a question answered from 0 to 10, on the resting screen and further on. Knows no other kind of answer.

Invariant: the numbers stand in two rows in the lower half, whatever the mode, each at least 10 mm square; the eleven leave a
free place at the end of the second row, and what else is to be touched has its column beside them.
"""

from kiosk.compat import const
from screens.bars import back, countdown, dots, kinds, languages, leave, modes, onward
from screens.page_ask import head_fonts
from screens.sheet import MARGIN, SCALE, TOUCH, WIDTH
from screens.widgets import Cell, Label

_LEFT = const(8)
_PITCH = const(62)
_TOP = const(168)
_SIDE = const(384)  # the column beside: two touches wide
_SIDE_WIDTH = const(92)
_ROW = const(50)
_LABEL_TOP = const(144)
_PER_ROW = const(6)


def build(sheet):
    question = sheet.question()
    text = question["text"].get(sheet.code, "")
    most, least = question["labels"][sheet.code]
    width = WIDTH - 2 * MARGIN
    sheet.add(Label((MARGIN, 6, width, _LABEL_TOP - 8), text, head_fonts(sheet), role="question"))
    words = _SIDE - MARGIN
    rect = (MARGIN, _LABEL_TOP, words, sheet.little.height)
    sheet.add(Label(rect, "0 = " + least, (sheet.little,), align=-1, role="label 2"))
    rect = (MARGIN, _TOP + 2 * _PITCH - 2, words, sheet.little.height)
    sheet.add(Label(rect, "10 = " + most, (sheet.little,), align=-1, role="label 1"))
    chosen = sheet.scene.get("chosen")
    fonts = (sheet.big, sheet.middle) if sheet.large else (sheet.middle,)
    for number in range(11):
        x, y = _place(number)
        rect = (x, y, SCALE, SCALE)
        sheet.add(Cell(rect, str(number), fonts, ("answer", number), chosen=chosen == number, role="number"))
    dots(sheet, (_SIDE, _LABEL_TOP + 6, _SIDE_WIDTH, 10))
    _beside(sheet)


def _beside(sheet):
    """The column: up to three rows of one wide or two narrow buttons."""
    shown = modes(sheet)
    if sheet.scene["page"] == "rest":
        others = [item for item in languages(sheet) if not item.chosen]
        flows = kinds(sheet)
        if flows:
            rows = [others, flows]
        else:
            rows = [[item] for item in others]
    else:
        before, last = back(sheet), leave(sheet)
        rows = [onward(sheet), before + last]
    rows = rows[:2]
    while len(rows) < 2:
        rows.append([])
    low = shown.pop()
    rows.append(shown)
    for number, items in enumerate(rows):
        _lay(sheet, items, number)
    x, y = _place(11)
    sheet.add(low.button((x + 4, y + 4, SCALE - 8, SCALE - 8), low.shape(4, sheet)))


def _lay(sheet, items, number):
    y = _TOP + number * _ROW
    if len(items) == 1:
        item = items[0]
        for level in (1, 2, 3, 4):
            shape = item.shape(level, sheet)
            if shape[0] <= _SIDE_WIDTH:
                break
        sheet.add(item.button((_SIDE, y, _SIDE_WIDTH, TOUCH), shape))
        return
    for index, item in enumerate(items[:2]):
        rect = (_SIDE + index * (_SIDE_WIDTH - TOUCH), y, TOUCH, TOUCH)
        sheet.add(item.button(rect, item.shape(4, sheet)))


def _place(number):
    """Where a number's cell begins; 11: the free place."""
    return _LEFT + number % _PER_ROW * _PITCH, _TOP + number // _PER_ROW * _PITCH
