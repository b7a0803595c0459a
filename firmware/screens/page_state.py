"""Lays out the calm full screens: out of service, full, a moment, starting. Needs no question set.

Invariant: the text stands in all three languages; there is nothing to touch, for the kiosk itself ends these states.
"""

from kiosk.compat import const

from screens.sheet import WIDTH
from screens.widgets import Icon, Label, Panel
from screens.words import STATES

_LEFT = const(40)
_TOP = const(76)
_EACH = const(80)
_LINE = const(160)


def build(sheet):
    icon, texts = STATES[sheet.scene["page"]]
    sheet.add(Icon((WIDTH // 2 - 26, 16, 52, 52), sheet.icon(icon), None, "panel"))
    fonts = (sheet.middle, sheet.little)
    for number, text in enumerate(texts):
        y = _TOP + number * _EACH
        if number:
            sheet.add(Panel(((WIDTH - _LINE) // 2, y - 1, _LINE, 2), "line", radius=0))
        sheet.add(Label((_LEFT, y, WIDTH - 2 * _LEFT, _EACH), text, fonts, role="state"))
