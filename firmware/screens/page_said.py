"""Lays a note, what visitors said and what was done, over the head of the resting screen. Knows no time and no answer.

Invariant: question and answers stay: each answer is where it was and means what it meant. Only the question's letters
become smaller, and the row above it makes room until somebody touches; where the question has no room, nothing is laid.
"""

from kiosk.compat import const

from screens.fit import best
from screens.sheet import MARGIN, WIDTH
from screens.widgets import Label, Panel

WORDS = {
    "fi": ("Te sanoitte: ", "Me teimme: "),
    "sv": ("Ni sade: ", "Vi gjorde: "),
    "en": ("You said: ", "We did: "),
}
_TOP = const(4)
_PADDING = const(5)
_LEFT = const(20)
_LINES = const(3)  # of the small font: every ready set's resting screen has room for so many
_GAP = const(4)


def lay(sheet, note):
    """Change the widgets of a resting page so that they hold the note; says whether there was room."""
    asked = [widget for widget in sheet.widgets if widget.role == "question"][0]
    font = sheet.little
    box = (MARGIN, _TOP, WIDTH - 2 * MARGIN, _LINES * font.height + 2 * _PADDING)
    top = _TOP + box[3] + _GAP
    end = asked.rect[1] + asked.rect[3]
    if not best(asked.text, (font,), asked.rect[2], end - top)[2]:
        return False
    rect = (asked.rect[0], top, asked.rect[2], end - top)
    question = Label(rect, asked.text, (sheet.big, sheet.middle, font), role="question")
    fonts = (font,) if question.font is font else (sheet.middle, font)  # what is asked speaks loudest
    over = [Panel(box)] + _texts(sheet, note, fonts, _TOP + _PADDING, _LINES * font.height) + [question]
    below = asked.rect[1]
    for widget in sheet.widgets:
        if widget is not asked and widget.rect[1] + widget.rect[3] > below:
            over.append(widget)
    sheet.widgets = over
    return True


def _texts(sheet, note, fonts, y, room):
    """The two labels in one font, the first that has room, in the middle of the height."""
    code = _language(sheet, note)
    said, did = [word + text for word, text in zip(WORDS[code], note[code])]
    width = WIDTH - 2 * _LEFT
    for font in fonts:
        _, first, one = best(said, (font,), width, room)
        _, second, other = best(did, (font,), width, room)
        above, below = len(first) * font.height, len(second) * font.height
        if one and other and above + below <= room:
            break
    above = min(above, room - font.height)
    below = min(below, room - above)
    y += (room - above - below) // 2
    return [
        Label((_LEFT, y, width, above), said, (font,), "quiet", "panel", -1, -1, "said"),
        Label((_LEFT, y + above, width, below), did, (font,), "ink", "panel", -1, -1, "did"),
    ]


def _language(sheet, note):
    """That of the screen, or else the first of the set's, or any, that the note has."""
    codes = [sheet.code] + sheet.view["languages"] + list(WORDS)
    return [code for code in codes if code in WORDS and code in note][0]
