"""Lays out a question with faces or written options, on the resting screen and further on; knows nothing of 0 to 10.

Invariant: faces and steps of agreement stand in one row, each at least 12x15 mm to the touch, 2 mm apart; options have
one size and one font among themselves, so that none speaks louder than another.
"""

from kiosk.compat import const

from screens.bars import frame
from screens.fit import best, wrap
from screens.sheet import GAP, MARGIN, MIDDLE, TARGET_GAP, TARGET_HEIGHT, TOUCH, WIDTH
from screens.widgets import Button, Face, Label

_AROUND = const(10)  # a face's height beside its picture
_NARROW = const(76)
_MOST_OPTION = const(96)
_LOW_BOTTOM = const(262)
_MOODS = {4: (0, 1, 3, 4), 5: (0, 1, 2, 3, 4)}
# By the number of options: how many may stand beside each other, the better first.
_COLUMNS = ((1,), (1,), (2, 1), (3, 1), (2, 4), (3, 2), (3, 2))


def build(sheet):
    question = sheet.question()
    top, bottom = frame(sheet)
    text = question["text"].get(sheet.code, "")
    labels = question["labels"][sheet.code]
    lay = _options if question["type"] in ("pei", "choice") else _faces
    lay(sheet, question, text, labels, top, bottom)


def head_fonts(sheet):
    """The fonts of a question, largest first. On its way a visitor meets one size: long and short questions alike."""
    if sheet.large or sheet.scene["page"] == "rest":
        return sheet.big, sheet.middle, sheet.little
    return sheet.middle, sheet.little


def _faces(sheet, question, text, labels, top, bottom):
    count = len(labels)
    pitch = WIDTH // count
    if sheet.low:
        # Words are only read: they stand above, the faces below the middle.
        y, picture, ends = MIDDLE, "face84", sheet.large and _ends(sheet, labels)
        words = ends[0] if ends else _label_height(labels, sheet.little, pitch - 2)
        asked, height, fonts = y - words - 4 - top, 84 + _AROUND, head_fonts(sheet)
        words_top = y - words - 2
    else:
        font, picture, ends = _plan(sheet, text, labels, bottom - top, pitch - 2)
        fonts = (font,)
        words = ends[0] if ends else _label_height(labels, sheet.little, pitch - 2)
        high = sheet.pictures[picture].h + _AROUND
        height = max(TARGET_HEIGHT, high + words)
        lines = len(wrap(text, font, WIDTH - 2 * MARGIN))
        spare = max(0, bottom - top - height - lines * font.height) // 3
        y = bottom - spare - height
        asked = y - top
        words_top = y + high
    sheet.add(Label((MARGIN, top, WIDTH - 2 * MARGIN, asked), text, fonts, role="question"))
    _row(sheet, question, count, picture, y, height)
    if ends:
        _end_labels(sheet, labels, ends, words_top)
        return
    for index, label in enumerate(labels):
        # A word may be as wide as from face to face; but words that can stand narrower leave the next ones room.
        wide = _NARROW
        if not best(label, (sheet.little,), wide, words)[2]:
            wide = pitch - 2
        rect = (index * pitch + (pitch - wide) // 2, words_top, wide, words)
        sheet.add(Label(rect, label, (sheet.little,), rise=-1, role="label %d" % (index + 1)))


def _plan(sheet, text, labels, room, width):
    """(font of the question, picture, end labels or None): the largest that fit."""
    words = _label_height(labels, sheet.little, width)
    fonts = [font for font in head_fonts(sheet) if best(text, (font,), WIDTH - 2 * MARGIN, room)[2]]
    fonts = fonts or [sheet.little]
    plans = [(font, picture, None) for font in fonts for picture in ("face84", "face60")]
    ends = _ends(sheet, labels) if sheet.large else None
    if ends:  # two large labels before five small ones
        large = [font for font in fonts if font is not sheet.little]
        plans = [(font, picture, ends) for font in large for picture in ("face84", "face60")] + plans
    for font, picture, ends in plans:
        asked = len(wrap(text, font, WIDTH - 2 * MARGIN)) * font.height
        if asked + sheet.pictures[picture].h + _AROUND + (ends[0] if ends else words) <= room:
            break
    return font, picture, ends


def _ends(sheet, labels):
    """(height, width of the first label, width of the last) in the middle font; None where they have no room."""
    font, room = sheet.middle, WIDTH - 2 * MARGIN - TARGET_GAP
    first, last = font.width(labels[0]), font.width(labels[-1])
    if first + last <= room:
        return font.height, first, last
    half = room // 2
    for label in (labels[0], labels[-1]):
        if not best(label, (font,), half, 2 * font.height)[2]:
            return None
    return 2 * font.height, half, half


def _end_labels(sheet, labels, ends, y):
    height, first, last = ends
    fonts = (sheet.middle,)
    sheet.add(Label((MARGIN, y, first, height), labels[0], fonts, align=-1, rise=-1, role="label 1"))
    rect = (WIDTH - MARGIN - last, y, last, height)
    sheet.add(Label(rect, labels[-1], fonts, align=1, rise=-1, role="label %d" % len(labels)))


def _label_height(labels, font, width):
    return max([len(wrap(label, font, width)) for label in labels]) * font.height


def _row(sheet, question, count, picture, y, height):
    """The faces; what takes a touch reaches over the words below."""
    pitch = WIDTH // count
    chosen = sheet.scene.get("chosen")
    picture = sheet.pictures[picture]
    for index in range(count):
        area = (index * pitch + TARGET_GAP // 2, y, pitch - TARGET_GAP, height)
        rect = (index * pitch + 1, y, pitch - 2, picture.h + _AROUND)
        mood = _MOODS[count][index]
        sheet.add(Face(rect, picture, mood, "", None, ("answer", index), chosen == index, area=area))


def _options(sheet, question, text, labels, top, bottom):
    several = bool(question.get("several"))
    hint = sheet.little.height if several else 0
    if sheet.low:
        asks, top_of_all, gap = head_fonts(sheet), MIDDLE, 2
        ask, font, columns, high = _grid(sheet, "", (sheet.little,), labels, _LOW_BOTTOM - MIDDLE, gap)
        under = MIDDLE - 4
    else:
        gap = 4 if sheet.large else GAP
        room = bottom - top - hint
        ask, font, columns, high = _grid(sheet, text, head_fonts(sheet), labels, room - 2, gap)
        asks = (ask,)
        rows = (len(labels) + columns - 1) // columns
        used = len(wrap(text, ask, WIDTH - 2 * MARGIN)) * ask.height + rows * (high + gap) - gap
        top_of_all = bottom - max(0, room - used) // 3 - rows * (high + gap) + gap
        under = top_of_all - 2
    head = (MARGIN, top, WIDTH - 2 * MARGIN, under - hint - top)
    sheet.add(Label(head, text, asks, role="question"))
    if several:
        rect = (MARGIN, under - hint, WIDTH - 2 * MARGIN, hint)
        sheet.add(Label(rect, sheet.word("several"), (sheet.little,), "quiet", role="several"))
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns
    chosen = sheet.scene.get("chosen")
    for index, label in enumerate(labels):
        x = MARGIN + index % columns * (width + GAP)
        rect = (x, top_of_all + index // columns * (high + gap), width, high)
        if several:
            action, taken = ("toggle", index), bool(chosen and chosen >> index & 1)
        else:
            action, taken = ("answer", index), chosen == index
        sheet.add(Button(rect, label, (font,), action, chosen=taken, role="label %d" % (index + 1)))


def _grid(sheet, text, asks, labels, room, gap):
    """(font of the question, of the options, columns, height of an option): the largest with which all have room."""
    fonts = (sheet.middle, sheet.little)
    if sheet.large:
        pairs = [(ask, font) for font in fonts for ask in asks if ask is not sheet.little]
        pairs += [(sheet.little, font) for font in fonts]
    else:
        pairs = [(ask, font) for ask in asks for font in fonts]
    count = len(labels)
    for ask, font in pairs:
        _, lines, fits = best(text, (ask,), WIDTH - 2 * MARGIN, room)
        for columns in _COLUMNS[count]:
            rows = (count + columns - 1) // columns
            high = min(_MOST_OPTION, (room - (len(lines) * ask.height if text else 0) + gap) // rows - gap)
            width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns
            if columns == _COLUMNS[count][0]:
                least = ask, font, columns, max(high, TOUCH)
            if fits and high >= TOUCH and _all_fit(labels, font, width - 12, high - 4):
                return ask, font, columns, high
    return least


def _all_fit(labels, font, width, height):
    for label in labels:
        if not best(label, (font,), width, height)[2]:
            return False
    return True
