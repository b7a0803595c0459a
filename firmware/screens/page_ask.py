"""Lays out a question with faces or written options, on the resting screen and further on. Knows nothing of 0 to 10.

Invariant: faces and steps of agreement stand in one row, each at least 12x15 mm to the touch, 2 mm apart; options keep the
same size among themselves and are written in the same font, so that none speaks louder than another.
"""

from kiosk.compat import const
from screens.bars import frame
from screens.fit import best, wrap
from screens.sheet import GAP, MARGIN, MIDDLE, TARGET_GAP, TARGET_HEIGHT, TOUCH, WIDTH
from screens.widgets import Button, Face, Label

_AROUND = const(10)  # a face's height beside its picture
_NARROW = const(76)
_MOST_OPTION = const(96)
_LOW_BOTTOM = const(256)
_MOODS = {4: (0, 1, 3, 4), 5: (0, 1, 2, 3, 4)}
_COLUMNS = (1, 1, 2, 3, 2, 3, 3)


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
    rise = 1 if sheet.low else -1
    if ends:
        _end_labels(sheet, labels, ends, words_top, rise)
        return
    for index, label in enumerate(labels):
        # A word may be as wide as from face to face; but words that can stand narrower leave the next ones room.
        wide = _NARROW
        if not best(label, (sheet.little,), wide, words)[2]:
            wide = pitch - 2
        rect = (index * pitch + (pitch - wide) // 2, words_top, wide, words)
        sheet.add(Label(rect, label, (sheet.little,), rise=rise, role="label %d" % (index + 1)))


def _plan(sheet, text, labels, room, width):
    """(font of the question, picture, end labels or None): the largest that fit."""
    ends = _ends(sheet, labels) if sheet.large else None
    plans = [("face84", ends), ("face84", None), ("face60", None)]
    words = _label_height(labels, sheet.little, width)
    for font in head_fonts(sheet):
        if best(text, (font,), WIDTH - 2 * MARGIN, room)[2]:
            asked = len(wrap(text, font, WIDTH - 2 * MARGIN)) * font.height
            for picture, ends in plans:
                if asked + sheet.pictures[picture].h + _AROUND + (ends[0] if ends else words) <= room:
                    return font, picture, ends
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


def _end_labels(sheet, labels, ends, y, rise):
    height, first, last = ends
    fonts = (sheet.middle,)
    sheet.add(Label((MARGIN, y, first, height), labels[0], fonts, align=-1, rise=rise, role="label 1"))
    rect = (WIDTH - MARGIN - last, y, last, height)
    sheet.add(Label(rect, labels[-1], fonts, align=1, rise=rise, role="label %d" % len(labels)))


def _label_height(labels, font, width):
    return max([len(wrap(label, font, width)) for label in labels]) * font.height


def _row(sheet, question, count, picture, y, height):
    """The faces; what takes a touch reaches over the words below."""
    pitch = WIDTH // count
    chosen = sheet.scene.get("chosen")
    picture = sheet.pictures[picture]
    for index in range(count):
        area = (index * pitch + TARGET_GAP // 2, y, pitch - TARGET_GAP, height)
        rect = (area[0] - 2, y, area[2] + 4, picture.h + _AROUND)
        mood = _MOODS[count][index]
        sheet.add(Face(rect, picture, mood, "", None, ("answer", index), chosen == index, area=area))


def _options(sheet, question, text, labels, top, bottom):
    several = bool(question.get("several"))
    count = len(labels)
    columns = _COLUMNS[count]
    rows = (count + columns - 1) // columns
    gap = 4 if sheet.low else 8
    width = (WIDTH - 2 * MARGIN - (columns - 1) * gap) // columns
    hint = sheet.little.height if several else 0
    fonts = (sheet.middle, sheet.little)
    if sheet.low:
        y, high = MIDDLE, (_LOW_BOTTOM - MIDDLE - (rows - 1) * gap) // rows
        font = _common(labels, fonts, width, high)
        asked = head_fonts(sheet)
        under = y - 4
    else:
        under = 0
        for ask in head_fonts(sheet):
            lines = wrap(text, ask, WIDTH - 2 * MARGIN)
            room = bottom - top - len(lines) * ask.height - hint - GAP
            high = min(_MOST_OPTION, (room - (rows - 1) * gap) // rows)
            font = _common(labels, fonts, width, high)
            if high >= TOUCH and font:
                break
        asked = (ask,)
        high = max(high, TOUCH)
        spare = max(0, room - rows * high - (rows - 1) * gap) // 3
        y = bottom - spare - rows * high - (rows - 1) * gap
        under = y - GAP // 2
    sheet.add(Label((MARGIN, top, WIDTH - 2 * MARGIN, under - hint - top), text, asked, role="question"))
    if several:
        rect = (MARGIN, under - hint, WIDTH - 2 * MARGIN, hint)
        sheet.add(Label(rect, sheet.word("several"), (sheet.little,), "quiet", role="several"))
    chosen = sheet.scene.get("chosen")
    for index, label in enumerate(labels):
        rect = (
            MARGIN + index % columns * (width + gap),
            y + index // columns * (high + gap),
            width,
            high,
        )
        if several:
            taken = bool(chosen and chosen >> index & 1)
        else:
            taken = chosen == index
        action = ("toggle" if several else "answer", index)
        sheet.add(
            Button(rect, label, (font or sheet.little,), action, chosen=taken, role="label %d" % (index + 1))
        )


def _common(labels, fonts, width, height):
    """The largest of `fonts` in which each label fits a button of this size, or None."""
    for font in fonts:
        if all([best(label, (font,), width - 12, height - 4)[2] for label in labels]):
            return font
    return None
