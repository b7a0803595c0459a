"""Lays out open text: the question, what is written so far, the notice, the keyboard. Knows no key by name.

Invariant: the end of what was written is seen, with the place of the next letter.
"""

from kiosk.compat import const

from screens.bars import LOW_DOTS, Item, back, countdown, dots, row
from screens.fit import best, wrap
from screens.keyboard import keys
from screens.sheet import MARGIN, TOUCH, WIDTH
from screens.widgets import Label, Panel

_CURSOR = "|"
_SEEN = const(200)  # letters at the end of a text that may be seen: more lines than there is room for
_STEP = const(100)  # so that lines keep their beginnings from letter to letter
_TOP = const(3)
_LOW_QUESTION = const(69)  # two lines, or three of the small font
_QUESTION = const(214)  # two lines of a usual question


def build(sheet):
    scene = sheet.scene
    question = sheet.question()["text"].get(sheet.code, "")
    written = bool(scene.get("text"))
    done = Item(sheet.word("done"), ("next",), sheet.icon("check"), main=True)
    if not written:
        done = Item(sheet.word("skip"), ("skip",), sheet.icon("skip"))
    phone = []
    if scene.get("qr"):
        phone = [Item(sheet.word("phone"), ("phone",), sheet.icon("phone"))]
    notice = sheet.word("notice")
    width = WIDTH - 2 * MARGIN
    if sheet.low:
        dots(sheet, LOW_DOTS)
        ask, lines, _ = best(question, (sheet.middle, sheet.little), width, _LOW_QUESTION)
        asked = min(len(lines) * ask.height, _LOW_QUESTION)
        sheet.add(Label((MARGIN, 15, width, asked), question, (ask,), role="question"))
        _field(sheet, 19 + asked, 116 - asked)
        sheet.add(Label((MARGIN, 137, width, 23), notice, (sheet.little,), "quiet", role="notice"))
        keys(sheet, ("check" if written else "skip", done.action))
        return
    if not countdown(sheet, _TOP, TOUCH):
        ways = back(sheet)
        if sheet.large:  # the question has the room
            for item in ways + phone:
                item.text = ""
        start, end = row(sheet, ways, phone + [done], _TOP, TOUCH, free=_QUESTION)
        sheet.add(
            Label(
                (start, _TOP, end - start, TOUCH),
                question,
                (sheet.middle, sheet.little),
                align=-1,
                role="question",
            )
        )
    _field(sheet, 53, 46)
    steps = scene.get("steps") or 0
    room = 90 if steps > 1 else 0
    sheet.add(
        Label((MARGIN, 100, width - room, 23), notice, (sheet.little,), "quiet", align=-1, role="notice")
    )
    dots(sheet, (WIDTH - MARGIN - 90, 105, 90, 10))
    keys(sheet, None)


def _field(sheet, y, height):
    """What was written: its last lines."""
    rect = (MARGIN, y, WIDTH - 2 * MARGIN, height)
    sheet.add(Panel(rect, "paper", edge="accent", radius=6))
    inner = (rect[0] + 8, y, rect[2] - 16, height)
    font = sheet.middle if sheet.large or height > 70 else sheet.little
    text = sheet.scene.get("text") or ""
    start = max(0, len(text) - _SEEN + _STEP - 1) // _STEP * _STEP
    lines = _broken(text[start:] + _CURSOR, font, inner[2])[-(height // font.height) :]
    sheet.add(Label(inner, "\n".join(lines), (font,), align=-1, role="text"))


def _broken(text, font, width):
    """Lines of what somebody wrote: a word may be longer than a line."""
    lines = []
    for line in wrap(text, font, width):
        while font.width(line) > width:
            most = len(line) - 1
            while font.width(line[:most]) > width:
                most -= 1
            lines.append(line[:most])
            line = line[most:]
        lines.append(line)
    return lines
