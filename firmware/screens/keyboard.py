"""The keys of the on-screen keyboard and where they stand; knows no text.

Invariant: every key is at least 6.5x8 mm; in low reach all of them lie in the lower half, which has room for three
rows, so that rub, done and the layers move between the letters.
"""

from kiosk.compat import const

from screens.bars import countdown
from screens.sheet import WIDTH
from screens.widgets import Key

# Both cases are written out: MicroPython's upper() knows ASCII alone.
_LETTERS = ("qwertyuiopå", "asdfghjklöä", "zxcvbnm"), ("QWERTYUIOPÅ", "ASDFGHJKLÖÄ", "ZXCVBNM")
_SAMI = ("áčđŋšŧžâõæø", "ǥǧǩʒǯéèüñßï", ",.-!?'’"), ("ÁČĐŊŠŦŽÂÕÆØ", "ǤǦǨƷǮÉÈÜÑßÏ", ",.-!?'’")
_DIGITS = (("1234567890+", '-/:;()&%@"=', ",.!?'€°"),) * 2
LAYERS = (_LETTERS, _SAMI, _DIGITS)
_WIDE, _HIGH = const(43), const(49)  # from key to key
_LEFT = const(3)
_TOP = const(124)
_LOW_WIDE, _LOW_HIGH = const(39), const(52)
_LOW_SIGN = const(51)  # a key with a picture, at the end of a row
_LOW_SHIFT = const(47)
_LOW_SPACE = const(68)
_LOW_TOP = const(162)
_SPACE = const(4)  # between two keys that are drawn; to the touch there is none
_LOW_GAP = const(2)
_HEIGHT = const(46)
_LOW_HEIGHT = const(48)


def keys(sheet, done):
    """Adds the keys. `done`: (icon, action) of the key that leads on, in low reach; `_top` has it otherwise."""
    layer = sheet.scene.get("layer") or 0
    rows = LAYERS[layer][1 if sheet.scene.get("caps") else 0]
    if sheet.low:
        _low(sheet, rows, layer, done)
    else:
        _four_rows(sheet, rows, layer)


def _four_rows(sheet, rows, layer):
    wide, y = _WIDE, _TOP
    for number, letters in enumerate(rows):
        x = _LEFT + (2 * wide if number == 2 else 0)
        for letter in letters:
            _key(sheet, x, y, wide, letter, ("key", letter))
            x += wide
        if number == 2:
            _shift(sheet, _LEFT, y, 2 * wide)
            _key(sheet, x, y, 2 * wide, "", ("rub",), "backspace")
        y += _HIGH
    x = _LEFT
    for other in range(3):
        if other != layer:
            _key(sheet, x, y, 2 * wide, _name(sheet, other), ("layer", other))
            x += 2 * wide
    _key(sheet, x, y, 5 * wide, sheet.word("space"), ("key", " "))
    x += 5 * wide
    for letter in ",.":
        _key(sheet, x, y, wide, letter, ("key", letter))
        x += wide


def _low(sheet, rows, layer, done):
    wide, y = _LOW_WIDE, _LOW_TOP
    for number, letters in enumerate(rows):
        x = 0
        if number == 2:
            if countdown(sheet, y, _LOW_HEIGHT):
                return
            _shift(sheet, x, y, _LOW_SHIFT)
            x = _LOW_SHIFT
        for letter in letters:
            _key(sheet, x, y, wide, letter, ("key", letter))
            x += wide
        if number == 0:
            _key(sheet, 11 * wide, y, _LOW_SIGN, "", ("rub",), "backspace")
        elif number == 1:
            icon, action = done
            _key(sheet, 11 * wide, y, _LOW_SIGN, "", action, icon, True)
        y += _LOW_HIGH
    y -= _LOW_HIGH
    x = _LOW_SHIFT + 7 * wide
    back = bool(sheet.scene.get("back"))
    space = _LOW_SPACE if back else _LOW_SPACE + _LOW_SHIFT
    _key(sheet, x, y, space, "", ("key", " "))
    x += space
    after = (layer + 1) % 3
    _key(sheet, x, y, WIDTH - x - (_LOW_SHIFT if back else 0), _name(sheet, after), ("layer", after))
    if back:
        _key(sheet, WIDTH - _LOW_SHIFT, y, _LOW_SHIFT, "", ("back",), "back")


def _shift(sheet, x, y, width):
    _key(sheet, x, y, width, "", ("caps",), "shift", bool(sheet.scene.get("caps")))


def _name(sheet, layer):
    return sheet.word(("letters", "sami", "digits")[layer])


def _key(sheet, x, y, width, text, action, icon=None, chosen=False):
    height, gap = (_LOW_HEIGHT, _LOW_GAP) if sheet.low else (_HEIGHT, _SPACE)
    rect = (x + gap // 2, y, width - gap, height)
    area = (x, y, width, height)
    fonts = (sheet.middle, sheet.little) if len(text) < 2 or sheet.large else (sheet.little,)
    sheet.add(Key(rect, text, fonts, action, icon=icon and sheet.icon(icon), chosen=chosen, area=area))
