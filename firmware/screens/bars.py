"""The rows of small buttons at a page's edge: languages, display, back, skip, leave; knows no question's answers.

Invariant: the buttons of a row do not overlap and have at least the size of a touch; with little room a row loses first
its icons, then the size of its letters, then words that an icon stands for.
"""

from kiosk.compat import const

from screens.sheet import GAP, HEIGHT, MARGIN, TOUCH, WIDTH
from screens.widgets import Button, Countdown, Dots
from screens.words import LANGUAGES

_TOP = const(6)
LOW_DOTS = (WIDTH // 2 - 70, 3, 140, 10)
_BOTTOM = const(268)  # 46 high, 6 from the edge
_LOW_TOP = const(266)
_LOW_HEIGHT = const(50)  # two lines of the small font
_TWO_LINES_HEIGHT = const(50)
_COUNTDOWN_S = const(10)

_ICON_AND_TEXT, _TEXT, _SMALL, _TWO_LINES, _ICON = range(5)


class Item:
    """One button of a row. `short`: what may stand for its text; `main`: the way that leads on."""

    def __init__(self, text, action, icon=None, short="", main=False, chosen=False):
        self.text = text
        self.action = action
        self.icon = icon
        self.short = short
        self.main = main
        self.chosen = chosen

    def shape(self, level, sheet):
        """(width, text, fonts, icon) with as little room as `level` allows."""
        text, icon = self.text, self.icon
        small = sheet.little
        if level == _ICON or not text:
            if icon:
                return TOUCH + 2, "", None, icon
            text = self.short or text
        if level == _ICON_AND_TEXT:
            fonts = sheet.plain
        else:
            icon = None
            fonts = sheet.plain if level == _TEXT else (small,)
        if level < _TWO_LINES or text is self.short:
            width = fonts[0].width(text) + (24 if level < _SMALL else 16)
        else:
            width = _two_lines(text, small) + 14
        if icon:
            width += icon[0].w + 6
        return max(width, TOUCH + 2), text, fonts, icon

    def button(self, rect, shape):
        """The widget."""
        _, text, fonts, icon = shape
        color, ink, edge = "panel", "ink", "line"
        if self.main:
            color, ink, edge = "accent", "accent_ink", "accent"
        elif not text and self.action[0] in ("mode", "language"):
            edge = None
        return Button(
            rect, text, fonts, self.action, color, ink, edge, icon, self.chosen, role=self.action[0]
        )


def row(sheet, left, right, y, height, start=MARGIN, end=WIDTH - MARGIN, free=0):
    """Buttons from both ends towards the middle; gives the room between them as (x, end): at least `free` wide."""
    items = left + right
    shapes = _shapes(sheet, items, end - start - free, height)
    if not _fits(shapes, end - start - free - GAP * (len(items) - 1)):
        fewer = next_language(sheet) + [item for item in left if item.action[0] != "language"]
        if len(fewer) < len(left):
            return row(sheet, fewer, right, y, height, start, end, free)
    x = start
    for index in range(len(left)):
        width = shapes[index][0]
        sheet.add(items[index].button((x, y, width, height), shapes[index]))
        x += width + GAP
    for index in range(len(items) - 1, len(left) - 1, -1):
        width = shapes[index][0]
        end -= width
        sheet.add(items[index].button((end, y, width, height), shapes[index]))
        end -= GAP
    return x, end


def languages(sheet):
    """An item for each language."""
    codes = sheet.view["languages"]
    if len(codes) < 2:
        return []
    return [
        Item(
            LANGUAGES.get(code, code), ("language", index), None, code.upper(), chosen=index == sheet.language
        )
        for index, code in enumerate(codes)
    ]


def next_language(sheet):
    """An item that goes round the languages."""
    count = len(sheet.view["languages"])
    if count < 2:
        return []
    return [Item("", ("language", (sheet.language + 1) % count), sheet.icon("globe"))]


def modes(sheet):
    """Items that switch how pages look."""
    return [
        Item("", ("mode", name), sheet.icon(name), chosen=name in sheet.mode)
        for name in ("contrast", "large", "low")
    ]


def kinds(sheet):
    """Items that begin another flow."""
    icons = {"child": "child", "kin": "people", "visitor": "people"}
    return [
        Item(sheet.word(kind), ("kind", kind), sheet.icon(icons[kind]))
        for kind in sheet.scene.get("kinds") or ()
    ]


def back(sheet):
    if not sheet.scene.get("back"):
        return []
    return [Item(sheet.word("back"), ("back",), sheet.icon("back"))]


def leave(sheet):
    if not sheet.scene.get("leave"):
        return []
    return [Item(sheet.word("leave"), ("leave",), sheet.icon("close"))]


def onward(sheet):
    """Skip; once something is chosen: next."""
    chosen = sheet.scene.get("chosen")
    if chosen is None or (chosen == 0 and sheet.question().get("several")):
        return [Item(sheet.word("skip"), ("skip",), sheet.icon("skip"))]
    return [Item(sheet.word("next"), ("next",), sheet.icon("next"), main=True)]


def cant_say(sheet):
    if not sheet.question().get("cant_say"):
        return []
    return [Item(sheet.word("cant_say"), ("answer", -1), chosen=sheet.scene.get("chosen") == -1)]


def frame(sheet):
    """The rows of a page that asks; gives the room for question and answers: (top, bottom)."""
    resting = sheet.scene["page"] == "rest"
    if resting:
        ways, more = languages(sheet), kinds(sheet)
        answers = cant_say(sheet)
    else:
        ways, more = back(sheet), []
        answers = cant_say(sheet)
    onwards = [] if resting else onward(sheet) + leave(sheet)
    looks = modes(sheet) if resting else next_language(sheet) + modes(sheet)
    if sheet.low:
        dots(sheet, LOW_DOTS)
        if not countdown(sheet, _LOW_TOP, _LOW_HEIGHT):
            row(sheet, ways + answers + more + onwards, looks, _LOW_TOP, _LOW_HEIGHT)
        return 15, _LOW_TOP - GAP
    if not countdown(sheet, _TOP, TOUCH):
        start, end = row(sheet, ways, looks, _TOP, TOUCH)
        dots(sheet, (start, _TOP + 18, end - start, 10))
    if not answers and not more and not onwards:
        return _TOP + TOUCH + GAP, HEIGHT - GAP
    row(sheet, answers + more, onwards, _BOTTOM, TOUCH)
    return _TOP + TOUCH + 4, _BOTTOM - 4


def dots(sheet, rect):
    """How far the visitor has come; whoever has not begun is not told how long it may take."""
    steps = sheet.scene.get("steps")
    if steps and steps > 1 and sheet.scene["page"] != "rest":
        sheet.add(Dots(rect, sheet.scene["step"], steps))


def countdown(sheet, y, height, start=MARGIN, end=WIDTH - MARGIN):
    """When the visit is about to end: the seconds, and the button that says somebody is there. Whether it is."""
    if sheet.scene.get("left") is None:
        return False
    wide = sheet.middle.width(_seconds(sheet))
    _, end = row(sheet, [], [stay(sheet)], y, height, start, end, min(wide, 300))
    sheet.add(countdown_text(sheet, (start, y, end - start, height), (sheet.middle, sheet.little)))
    return True


def stay(sheet):
    return Item(sheet.word("stay"), ("stay",), sheet.icon("hand"), main=True)


def countdown_text(sheet, rect, fonts):
    """The seconds that are left."""
    left = sheet.scene["left"]
    whole = max(left, min(_COUNTDOWN_S, sheet.view["idle_s"] // 2))
    return Countdown(rect, _seconds(sheet), fonts, left, whole)


def _seconds(sheet):
    return sheet.word("countdown").replace("%d", str(sheet.scene["left"]))


def _shapes(sheet, items, room, height):
    """The shapes that leave as much of the items as the room allows."""
    room -= GAP * (len(items) - 1)
    for level in (_ICON_AND_TEXT, _TEXT, _SMALL):
        shapes = [item.shape(level, sheet) for item in items]
        if _fits(shapes, room):
            return shapes
    for level in (_TWO_LINES, _ICON) if height >= _TWO_LINES_HEIGHT else (_ICON,):
        for index, item in enumerate(items):
            for other in range(len(items)):
                # Languages look alike, and so do flows.
                if other == index or item.action[0] == items[other].action[0] in ("language", "kind"):
                    shapes[other] = items[other].shape(level, sheet)
            if _fits(shapes, room):
                return shapes
    return shapes


def _fits(shapes, room):
    return sum([shape[0] for shape in shapes]) <= room


def _two_lines(text, font):
    """The least width in which two lines hold `text`."""
    words = text.split(" ")
    least = font.width(text)
    for index in range(1, len(words)):
        wider = max(font.width(" ".join(words[:index])), font.width(" ".join(words[index:])))
        least = min(least, wider)
    return least
