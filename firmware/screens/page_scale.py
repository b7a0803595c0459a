"""Lays out a question answered from 0 to 10, on the resting screen and further on; knows no other kind of answer.

Invariant: the numbers stand in two rows in the lower half, whatever the mode, each at least 10 mm square; the eleven
leave a place free at the end of the second row, and what else is to be touched has its column beside them.
"""

from kiosk.compat import const

from screens.bars import (
    back,
    countdown_text,
    dots,
    kinds,
    languages,
    leave,
    modes,
    next_language,
    onward,
    stay,
)
from screens.fit import best
from screens.page_ask import head_fonts
from screens.sheet import MARGIN, MIDDLE, SCALE, TOUCH, WIDTH
from screens.widgets import Cell, Label

_LEFT = const(4)
_PITCH = const(60)
_ROW_PITCH = const(62)
_TOP = const(164)
_SIDE = const(366)  # the column beside: two touches wide, and what a short word needs more
_SIDE_WIDTH = const(112)
_ROW = const(50)
_HALF = const(54)
_TALL = const(58)  # the first row where it is shared: two lines of a word
_WORD = const(65)
_HEAD = const(3)
_LABEL_WIDTH = const(350)
_WARNING = const(80)
_STAY = const(60)
_TWO_LINES = const(3)  # levels of a bar's items
_ICON = const(4)
_PER_ROW = const(6)


def build(sheet):
    question = sheet.question()
    text = question["text"].get(sheet.code, "")
    most, least = question["labels"][sheet.code]
    least, most = "0: " + least, "10: " + most
    fonts = head_fonts(sheet)
    font = _label_font(sheet, text, least, most)
    labels_top = _TOP - font.height
    head = (MARGIN, _HEAD, WIDTH - 2 * MARGIN, labels_top - _HEAD)
    sheet.add(Label(head, text, fonts, role="question"))
    rect = (MARGIN, labels_top, _LABEL_WIDTH, font.height)
    sheet.add(Label(rect, least, (font,), align=-1, role="label 2"))
    rect = (MARGIN, _TOP + 2 * _ROW_PITCH - 3, _LABEL_WIDTH, font.height)
    sheet.add(Label(rect, most, (font,), align=-1, role="label 1"))
    chosen = sheet.scene.get("chosen")
    fonts = (sheet.big, sheet.middle) if sheet.large else (sheet.middle,)
    for number in range(11):
        x, y = _place(number)
        rect = (x, y, SCALE, SCALE)
        sheet.add(Cell(rect, str(number), fonts, ("answer", number), chosen=chosen == number, role="number"))
    dots(sheet, (_SIDE, _TOP - 18, _SIDE_WIDTH, 10))
    _beside(sheet)


def _label_font(sheet, text, least, most):
    """Large labels where they leave the question its size."""
    font = sheet.middle
    if sheet.large and max(font.width(least), font.width(most)) <= _LABEL_WIDTH:
        room = _TOP - font.height - _HEAD
        if best(text, (sheet.middle,), WIDTH - 2 * MARGIN, room)[2]:
            return font
    return sheet.little


def _beside(sheet):
    """The column: up to three rows of one wide or two narrow buttons."""
    shown = modes(sheet)
    if sheet.scene.get("left") is not None:
        sheet.add(countdown_text(sheet, (_SIDE, _TOP, _SIDE_WIDTH, _WARNING), (sheet.little,)))
        item = stay(sheet)
        rect = (_SIDE, _TOP + _WARNING + 4, _SIDE_WIDTH, _STAY)
        sheet.add(item.button(rect, item.shape(_TWO_LINES, sheet)))
        return
    if sheet.scene["page"] == "rest":
        others = [item for item in languages(sheet) if not item.chosen]
        if len(others) > 2:
            others = next_language(sheet)
        flows = kinds(sheet)
        if flows:
            rows = [others, flows]
        else:
            rows = [[item] for item in others]
    else:
        ways = back(sheet) + leave(sheet)
        other = next_language(sheet)
        if len(ways) < 2:
            ways, other = ways + other, []
        rows = [onward(sheet) + other, ways]
    rows = rows[:2]
    while len(rows) < 2:
        rows.append([])
    low = shown.pop()
    rows.append(shown)
    y, shared = _TOP, sheet.scene["page"] != "rest" and len(rows[0]) > 1
    if shared:
        _share(sheet, rows.pop(0))
        y = MIDDLE + _TALL + 2
    for items in rows:
        _lay(sheet, items, y)
        y += TOUCH + 2 if shared else _ROW
    x, y = _place(11)
    sheet.add(low.button((x + 4, y + 4, SCALE - 8, SCALE - 8), low.shape(_ICON, sheet)))


def _share(sheet, items):
    """The way on keeps its word, in two lines if need be, and the languages stand beside it."""
    item, other = items
    for level in (2, _TWO_LINES, _ICON):
        shape = item.shape(level, sheet)
        if shape[0] <= _WORD:
            break
    sheet.add(item.button((_SIDE, MIDDLE, _WORD, _TALL), shape))
    x = _SIDE + _SIDE_WIDTH - TOUCH
    widget = other.button((x + 1, MIDDLE, TOUCH - 1, _TALL), other.shape(_ICON, sheet))
    widget.area = (x, MIDDLE, TOUCH, _TALL)
    sheet.add(widget)


def _lay(sheet, items, y):
    if len(items) == 1:
        item = items[0]
        for level in (1, 2, _ICON):
            shape = item.shape(level, sheet)
            if shape[0] <= _SIDE_WIDTH:
                break
        sheet.add(item.button((_SIDE, y, _SIDE_WIDTH, TOUCH), shape))
        return
    for index, item in enumerate(items[:2]):
        x = _SIDE + index * (_SIDE_WIDTH - _HALF)
        sheet.add(item.button((x, y, _HALF, TOUCH), item.shape(_ICON, sheet)))


def _place(number):
    """Where a number's cell begins; 11: the free place."""
    return _LEFT + number % _PER_ROW * _PITCH, _TOP + number // _PER_ROW * _ROW_PITCH
