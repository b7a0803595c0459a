"""Lays out the service page of e-paper: the kiosk's state in words. Knows no kiosk, no chip and no file.

Invariant: as on the touchscreen; a press of any button ends it.
"""

from kiosk.compat import const

from screens.fonts import CORNER
from screens.page import Page
from screens.piece import PAPER, Picture, Rule, Text
from screens.service_words import lines, title, word

_WIDTH = const(400)
_MARGIN = const(8)
_INNER = const(384)
_TOP = const(40)
_SIGN = const(28)
_NAME = const(128)
_ROWS = const(9)
_HEIGHT = const(300)


def build(facts, fonts, pictures):
    font, signs = fonts["p20"], pictures["pcorner"]
    language = facts["language"]
    row = (_HEIGHT - _TOP - _MARGIN // 2) // (_ROWS + 1)
    ends = word("press", language)
    wide = font.width(ends)
    pieces = [
        _line((_MARGIN, 8, _INNER - wide - 12, font.height), "title", title(facts), font),
        Text((_MARGIN + _INNER - wide, 8, wide, font.height), "end", ends, font, [ends], 1),
        Rule((_MARGIN, _TOP - 6, _INNER, 2)),
    ]
    y = _TOP
    told = lines(facts, language)
    left = _MARGIN + _SIGN + _NAME
    for number, (sign, name, value) in enumerate(told):
        if sign:
            pieces.append(Picture(_MARGIN, y + (row - signs.h) // 2, signs, CORNER.index(sign)))
        at = y + (row - font.height) // 2
        pieces.append(_line((_MARGIN + _SIGN, at, _NAME - 4, font.height), "name", name, font))
        room = _WIDTH - _MARGIN - left
        part = _fitting(value, font, room) if number == len(told) - 1 else value
        pieces.append(_line((left, at, room, font.height), "value", part, font))
        if len(part) < len(value):
            rest = value[len(part) :].strip()
            rect = (left, at + row, room, font.height)
            pieces.append(_line(rect, "value", rest, font))
        y += row
    return Page(pieces, PAPER)


def _line(rect, role, text, font):
    """One line; what has no room is left out, and the mark of it stands."""
    if font.width(text) > rect[2]:
        while text and font.width(text + "…") > rect[2]:
            text = text[:-1]
        text += "…"
    return Text(rect, role, text, font, [text], -1)


def _fitting(text, font, room):
    """The beginning of a text, in whole words, that one line holds; at least one word."""
    if font.width(text) <= room:
        return text
    words = text.split(" ")
    part = words[0]
    for each in words[1:]:
        if font.width(part + " " + each) > room:
            break
        part += " " + each
    return part
