"""Lays out the service page of a touchscreen: the kiosk's state in words. Knows no kiosk and no network.

Invariant: what is wrong has a sign before it, and the same place whatever it says; a touch anywhere ends it.
"""

from kiosk.compat import const

from screens.fonts import CORNER
from screens.service_words import lines, title, word
from screens.sheet import MARGIN, WIDTH
from screens.widgets import Icon, Label, Panel

_TITLE = const(34)
_TOP = const(44)
_ROW = const(28)
_LAST = const(50)  # a fault may take two lines
_SIGN = const(36)
_NAME = const(128)


def build(sheet):
    facts = sheet.scene["facts"]
    language = facts["language"]
    inner = WIDTH - 2 * MARGIN
    ends = word("end", language)
    wide = sheet.little.width(ends) + 4
    sheet.add(
        Label(
            (MARGIN, 6, inner - wide - 8, _TITLE),
            title(facts),
            (sheet.middle, sheet.little),
            align=-1,
            role="title",
        )
    )
    sheet.add(
        Label((WIDTH - MARGIN - wide, 6, wide, _TITLE), ends, (sheet.little,), "quiet", align=1, role="end")
    )
    sheet.add(Panel((MARGIN, _TOP - 5, inner, 2), "line", radius=0))
    y = _TOP
    told = lines(facts, language)
    for number, (sign, name, value) in enumerate(told):
        high = _LAST if number == len(told) - 1 else _ROW
        if sign:
            icon = sheet.pictures["corner"], CORNER.index(sign)
            sheet.add(Icon((MARGIN - 6, y, _SIGN, _ROW), icon, role="sign"))
        left = MARGIN + _SIGN - 4
        sheet.add(Label((left, y, _NAME, _ROW), name, (sheet.little,), "quiet", align=-1, role="name"))
        left += _NAME
        sheet.add(
            Label((left, y, WIDTH - MARGIN - left, high), _cut(value, sheet.little, WIDTH - MARGIN - left, high),
                  (sheet.little,), align=-1, rise=-1 if high > _ROW else 0, role="value")
        )  # fmt: skip
        y += _ROW


def _cut(text, font, width, height):
    """As much of a text as the lines hold: an address or a fault may be of any length."""
    from screens.fit import best

    if best(text, (font,), width, height)[2]:
        return text
    if " " not in text and font.width(text) <= width:
        return text
    while text and not best(text + "…", (font,), width, height)[2]:
        text = text[:-1]
    return text + "…"
