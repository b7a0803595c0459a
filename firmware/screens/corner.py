"""Finds where the sign of the kiosk's state can stand on a page without touching anything. Knows no sign and draws
nothing.

Invariant: the place is free of all that is written or drawn, and nearer the edge than anything a visitor looks at.
"""

from kiosk.compat import const

SIZE = const(24)  # pixels of the picture: 4 mm, read from an arm's length
_EDGE = const(6)
_STEP = const(4)
_AIR = const(6)  # to what is beside it


def spot(taken, width, height):
    """(x, y) of a free square of SIZE beside rectangles `taken`, or None. Corners first, the upper right one before
    all, then along the edges."""
    right, bottom = width - _EDGE - SIZE, height - _EDGE - SIZE
    for x, y in ((right, _EDGE), (_EDGE, _EDGE), (right, bottom), (_EDGE, bottom)):
        if _free(taken, x, y):
            return x, y
    for x in (right, _EDGE):
        for y in range(_EDGE, bottom, _STEP):
            if _free(taken, x, y):
                return x, y
    for y in (_EDGE, bottom):
        for x in range(right, _EDGE, -_STEP):
            if _free(taken, x, y):
                return x, y
    return None


def written(rect, font, lines, align, rise):
    """What lines of text cover of their rectangle."""
    x, y, width, height = rect
    wide = min(width, max([font.width(line) for line in lines]))
    high = min(height, len(lines) * font.height)
    return x + (width - wide) * (align + 1) // 2, y + (height - high) * (rise + 1) // 2, wide, high


def _free(taken, x, y):
    for left, top, wide, high in taken:
        if (
            left < x + SIZE + _AIR
            and x < left + wide + _AIR
            and top < y + SIZE + _AIR
            and y < top + high + _AIR
        ):
            return False
    return True


def add_to(sheet):
    """Put the sign of the scene, an index, onto a touchscreen's page. Without room there is none."""
    from screens.sheet import HEIGHT, WIDTH
    from screens.widgets import Icon, Label

    taken = []
    for widget in sheet.widgets:
        rect = widget.rect
        if isinstance(widget, Label):
            if not widget.text:
                continue
            _, _, _, align, rise, _ = widget.mark
            rect = written(rect, widget.font, widget.lines, align, rise)
        taken.append(rect)
    found = spot(taken, WIDTH, HEIGHT)
    if found is not None:
        x, y = found
        icon = sheet.pictures["corner"], sheet.scene["sign"]
        sheet.add(Icon((x - 6, y - 2, SIZE + 12, SIZE + 4), icon, role="sign"))
