"""Lays out the thank-you. Knows nothing of what was answered.

Invariant: it is shown only after the last answer is stored, so it says that it is.
"""

from kiosk.compat import const

from screens.bars import Item, countdown, row
from screens.sheet import MARGIN, WIDTH
from screens.widgets import Face, Label

_BAR = const(262)
_BAR_HEIGHT = const(50)
_FACE = const(96)


def build(sheet):
    width = WIDTH - 2 * MARGIN
    picture = sheet.pictures["face84"]
    sheet.add(Face(((WIDTH - _FACE) // 2, 12, _FACE, _FACE), picture, 0, "", None))
    fonts = (sheet.big, sheet.middle, sheet.little)
    sheet.add(
        Label((MARGIN, 108, width, 108), sheet.view["thanks"].get(sheet.code, ""), fonts, role="thanks")
    )
    sheet.add(
        Label((MARGIN, 218, width, 36), sheet.word("thanks_more"), sheet.plain, "quiet", role="thanks_more")
    )
    if countdown(sheet, _BAR, _BAR_HEIGHT):
        return
    phone = []
    if sheet.scene.get("qr"):
        phone = [Item(sheet.word("phone"), ("phone",), sheet.icon("phone"))]
    done = Item(sheet.word("done"), ("leave",), sheet.icon("check"), main=True)
    row(sheet, phone, [done], _BAR, _BAR_HEIGHT)
