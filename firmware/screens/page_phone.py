"""Lays out the code that takes the visitor to the same questions on a phone. Knows no QR arithmetic.

Invariant: the code stands on white in every mode, with four free cells around it.
"""

from kiosk.compat import const

from screens.bars import Item, back, countdown, leave, modes, next_language, row
from screens.sheet import GAP, HEIGHT, MARGIN, TOUCH, WIDTH
from screens.widgets import Label, Qr

_TOP = const(6)
_QUIET = const(8)  # cells at both sides together
_LOW_BAR = const(264)


def build(sheet):
    low = sheet.low
    y = 6 if low else _TOP + TOUCH + GAP
    bottom = _LOW_BAR - GAP if low else HEIGHT - MARGIN
    rows = sheet.scene.get("qr_rows") or ()
    cell = (bottom - y) // (len(rows) + _QUIET)
    size = cell * (len(rows) + _QUIET)
    top = y + (bottom - y - size) // 2
    sheet.add(Qr((MARGIN, top, size, size), rows))
    x = 2 * MARGIN + size
    width = WIDTH - MARGIN - x
    ways = back(sheet)
    done = leave(sheet) or [Item(sheet.word("done"), ("leave",), sheet.icon("check"))]
    done[0].main = True
    if low:
        if not countdown(sheet, _LOW_BAR, TOUCH + 4):
            row(sheet, ways, done + modes(sheet), _LOW_BAR, TOUCH + 4)
        end = bottom
    else:
        if not countdown(sheet, _TOP, TOUCH):
            row(sheet, ways, next_language(sheet) + modes(sheet), _TOP, TOUCH)
        end = HEIGHT - MARGIN - TOUCH - GAP
        row(sheet, [], done, HEIGHT - MARGIN - TOUCH, TOUCH, x)
    address = sheet.scene.get("qr") or ""
    title = sheet.add(
        Label((x, y, width, 72), sheet.word("phone"), (sheet.middle, sheet.little), align=-1, role="phone")
    )
    from_top = y + len(title.lines) * title.font.height + GAP
    title.rect = (x, y, width, from_top - GAP - y)
    parts = _breakable(address, sheet.little, width)
    under = len(parts) * sheet.little.height
    sheet.add(
        Label((x, from_top, width, end - under - from_top - GAP), sheet.word("phone_hint"), sheet.plain,
              align=-1, rise=-1, role="phone_hint")
    )  # fmt: skip
    sheet.add(
        Label(
            (x, end - under, width, under), "\n".join(parts), (sheet.little,), "accent", align=-1, role="qr"
        )
    )


def _breakable(address, font, width):
    """An address in lines, broken behind slashes where it can be."""
    if "://" in address:
        address = address.split("://", 1)[1]
    lines = [""]
    for letter in address:
        if font.width(lines[-1] + letter) > width:
            line = lines[-1]
            cut = line.rfind("/") + 1 or len(line)
            lines[-1] = line[:cut]
            lines.append(line[cut:])
        lines[-1] += letter
    return lines
