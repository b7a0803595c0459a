"""The e-paper page of a button kiosk: the question in up to three languages, or why none is asked. Draws on a canvas
it is given; knows no chip and no file.

The first language is the largest. What the answers mean stands where the buttons are: under each button when that has
room, else at both ends; what lies between follows from the faces on the buttons.
Invariant: nothing is left out unseen: what has no room is in the page's `overflows`.
"""

from kiosk.compat import const

from screens.fit import wrap
from screens.fonts import SIGNS
from screens.page import Page
from screens.piece import PAPER, Picture, Rule, Text, fits

_WIDTH = const(400)
_HEIGHT = const(300)
_MARGIN = const(8)
_INNER = const(384)
_GAP = const(10)  # between languages, and around the line above the answers
_LINE = const(2)
_LANGUAGES = const(3)
_ANSWERS_HEIGHT = const(74)  # the most that the answers' words take
# The question's fonts, the first language's and the others': the first pair that fits is taken.
_SIZES = (("p44", "p30"), ("p44", "p20"), ("p30", "p30"), ("p30", "p20"), ("p20", "p20"))
_STATES = ("out", "full", "wait")


def build(scene, view, language, mode, fonts, pictures):
    """The page, called like those of the touch screen; a button kiosk has no `mode`.

    scene: "page" is "out", "full" or "wait", anything else shows the question. view: the button view of a question
    set. language: position of the language that comes first.
    """
    if scene["page"] in _STATES:
        return Page(_state(scene["page"], fonts, pictures["psigns"]), PAPER)
    at = view["button"]["question"]
    asked = [question for question in view["questions"] if question["position"] == at][0]
    codes = view["languages"]
    first = codes[language] if language < len(codes) else codes[0]
    codes = ([first] + [code for code in codes if code != first])[:_LANGUAGES]
    texts = [asked["text"][code] for code in codes]
    labels = [asked["labels"][code] for code in codes]
    return Page(_question(texts, labels, fonts, pictures["pface48"]), PAPER)


def _question(texts, labels, fonts, faces):
    wrapped = {}
    answers, height = _columns(labels, fonts["p20"])
    if height > _ANSWERS_HEIGHT or not all(piece.fits for piece in answers):
        answers, height = _ends(labels, fonts["p20"])
        taller = height + faces.h + 4
        if _largest(texts, fonts, _room(taller), wrapped) == _largest(texts, fonts, _room(height), wrapped):
            height = taller  # the end buttons' faces cost the question nothing
            answers += [
                Picture(_MARGIN, -faces.h - 4, faces, 0),
                Picture(_WIDTH - _MARGIN - faces.w, -faces.h - 4, faces, faces.count - 1),
            ]
    lowest = max([piece.rect[1] + piece.rect[3] for piece in answers])
    for piece in answers:
        x, y, width, high = piece.rect
        piece.rect = (x, _HEIGHT - _MARGIN + y - lowest, width, high)
    room = _room(height)
    pieces = _texts(texts, fonts, _largest(texts, fonts, room, wrapped), wrapped, _MARGIN, room, "question")
    return pieces + [Rule((_MARGIN, _MARGIN + room + _GAP, _INNER, _LINE))] + answers


def _room(answers_height):
    """Height for the question when the answers take so much."""
    return _HEIGHT - 2 * _MARGIN - answers_height - 2 * _GAP - _LINE


def _largest(texts, fonts, room, wrapped, at=0):
    """Position in _SIZES, from `at`, of the first pair of fonts in which all texts fit; beyond its end when none is.
    wrapped: what was wrapped so far, for `_set_out`."""
    while at < len(_SIZES):
        set_out = _set_out(texts, fonts, at, wrapped)
        if _height(set_out) <= room and all(fits(font, lines, _INNER) for font, lines in set_out):
            break
        at += 1
    return at


def _set_out(texts, fonts, at, wrapped):
    """[(font, lines)] with a pair of _SIZES."""
    sizes = _SIZES[min(at, len(_SIZES) - 1)]
    set_out = []
    for text in texts:
        size = sizes[1 if set_out else 0]
        if (text, size) not in wrapped:
            wrapped[text, size] = wrap(text, fonts[size], _INNER)
        set_out.append((fonts[size], wrapped[text, size]))
    return set_out


def _height(set_out):
    return sum([len(lines) * font.height + _GAP for font, lines in set_out]) - _GAP


def _texts(texts, fonts, at, wrapped, top, room, role):
    """One text under the other, in the middle of `room`."""
    set_out = _set_out(texts, fonts, at, wrapped)
    bottom = top + room
    top += max(0, (room - _height(set_out)) // 2)
    pieces = []
    for text, (font, lines) in zip(texts, set_out):
        high = len(lines) * font.height
        rect = (_MARGIN, min(top, bottom), _INNER, max(0, min(high, bottom - top)))
        pieces.append(Text(rect, role, text, font, _balanced(text, font, lines), 0))
        top += high + _GAP
    return pieces


def _balanced(text, font, lines):
    """As many lines, but of about equal length: no word is left alone on the last."""
    width = font.width(text) // len(lines)
    while len(lines) > 1 and width < _INNER:
        even = wrap(text, font, width)
        if len(even) == len(lines) and fits(font, even, width):
            return even
        width += width // 8
    return lines


def _columns(labels, font):
    """Each answer under its button, one language under the other: pieces with y from 0, and their height."""
    buttons = len(labels[0])
    column = _WIDTH // buttons
    pieces, y = [], 0
    for words in labels:
        highest = 0
        for at in range(buttons):
            lines = wrap(words[at], font, column - 4)
            high = len(lines) * font.height
            rect = (at * column + 2, y, column - 4, high)
            pieces.append(Text(rect, "label %d" % (at + 1), words[at], font, lines, 0))
            highest = max(highest, high)
        y += highest
    return pieces, y


def _ends(labels, font):
    """The first answer at the left, the last at the right, likewise."""
    width = (_INNER - _GAP) // 2
    pieces, y = [], 0
    for words in labels:
        highest = 0
        for at, x, align in ((0, _MARGIN, -1), (len(words) - 1, _WIDTH - _MARGIN - width, 1)):
            lines = wrap(words[at], font, width)
            high = min(len(lines) * font.height, _ANSWERS_HEIGHT - y)
            pieces.append(Text((x, y, width, high), "label %d" % (at + 1), words[at], font, lines, align))
            highest = max(highest, high)
        y += highest
    return pieces, y


def _state(page, fonts, signs):
    """A calm page in all languages under its sign."""
    from screens.words import STATES  # here: who draws a question has no room to spare for them

    icon, texts = STATES[page]
    wrapped = {}
    sign = Picture((_WIDTH - signs.w) // 2, 2 * _MARGIN, signs, SIGNS[icon])
    top = 3 * _MARGIN + signs.h
    room = _HEIGHT - _MARGIN - top
    return [sign] + _texts(texts, fonts, _largest(texts, fonts, room, wrapped, 2), wrapped, top, room, page)
