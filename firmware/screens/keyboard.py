"""The keys of the on-screen keyboard and where they stand; knows no text.

Invariant: every key is at least 6.5x8 mm; in low reach all of them lie in the lower half, which has room for three
rows, so that rub, done and the layers move between the letters.
"""

from kiosk.compat import const

from screens.widgets import Key

# Both cases are written out: MicroPython's upper() knows ASCII alone.
_LETTERS = ("qwertyuiopå", "asdfghjklöä", "zxcvbnm"), ("QWERTYUIOPÅ", "ASDFGHJKLÖÄ", "ZXCVBNM")
_SAMI = ("áčđŋšŧžâõæø", "ǥǧǩʒǯéèüñßï", ",.-!?'’"), ("ÁČĐŊŠŦŽÂÕÆØ", "ǤǦǨƷǮÉÈÜÑßÏ", ",.-!?'’")
_DIGITS = (("1234567890+", '-/:;()&%@"=', ",.!?'€°"),) * 2
LAYERS = (_LETTERS, _SAMI, _DIGITS)
_WIDE, _HIGH = const(43), const(49)  # from key to key
_LEFT = const(3)
_TOP = const(124)
_LOW_WIDE, _LOW_HIGH = const(40), const(52)
_LOW_TOP = const(162)
_SPACE = const(4)  # between two keys that are drawn
_HEIGHT = const(46)
_NARROW_NAME = const(2)  # letters of a layer's name that fit a narrow key
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
            _shift(sheet, x, y, wide)
            x += wide
        for letter in letters:
            _key(sheet, x, y, wide, letter, ("key", letter))
            x += wide
        if number == 0:
            _key(sheet, 11 * wide, y, wide, "", ("rub",), "backspace")
        elif number == 1:
            icon, action = done
            _key(sheet, 11 * wide, y, wide, "", action, icon, True)
        y += _LOW_HIGH
    y -= _LOW_HIGH
    back = bool(sheet.scene.get("back"))
    space = 2 if back else 3
    _key(sheet, x, y, space * wide, "", ("key", " "))
    x += space * wide
    after = (layer + 1) % 3
    _key(sheet, x, y, wide, _name(sheet, after)[:_NARROW_NAME], ("layer", after))
    if back:
        _key(sheet, x + wide, y, wide, "", ("back",), "back")


def _shift(sheet, x, y, width):
    _key(sheet, x, y, width, "", ("caps",), "shift", bool(sheet.scene.get("caps")))


def _name(sheet, layer):
    return sheet.word(("letters", "sami", "digits")[layer])


def _key(sheet, x, y, width, text, action, icon=None, chosen=False):
    height = _LOW_HEIGHT if sheet.low else _HEIGHT
    rect = (x + _SPACE // 2, y, width - _SPACE, height)
    fonts = (sheet.middle, sheet.little) if len(text) < 2 or sheet.large else (sheet.little,)
    sheet.add(Key(rect, text, fonts, action, icon=icon and sheet.icon(icon), chosen=chosen))
