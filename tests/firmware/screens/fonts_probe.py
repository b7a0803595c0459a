"""Reads every letter and frame of the assets on MicroPython; prints what it saw and what it cost as one line of JSON.

micropython fonts_probe.py FIRMWARE TESTS ASSETS loaded|file
"""

import gc
import json
import sys

sys.path[:0] = sys.argv[1:3]

from kiosk.compat import crc32  # noqa: E402
from screens import fonts  # noqa: E402

ASSETS, LOADED = sys.argv[3], sys.argv[4] == "loaded"


def held():
    gc.collect()
    return gc.mem_alloc()


def crc_of(font):
    """Of all that the font tells of its letters, in order."""
    crc = 0
    for letter in font.letters():
        pixels, *rest = font.glyph(letter)
        crc = crc32(bytes(pixels), crc32(b"%r" % rest, crc))
    return crc


def garbage(font, text):
    """Bytes a glyph leaves behind."""
    for letter in text:
        font.glyph(letter)  # a letter's first string stays for good
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for letter in text:
        font.glyph(letter)
    after = gc.mem_alloc()
    gc.enable()
    return (after - before) / len(text)


told = {"kept": {}, "fonts": {}, "pictures": {}}
kept = []  # so that nothing of an earlier measurement is let go during a later one
for names in (("s", "m", "l"), ("p20", "p30", "p44")):
    before = held()
    kept.append(fonts.load(ASSETS, names, LOADED))
    told["kept"][names[0]] = held() - before
    for name, font in kept[-1].items():
        told["fonts"][name] = {"crc": crc_of(font), "garbage": garbage(font, "Miten käynti sujui?")}
for screen in ("touch", "paper"):
    for name in fonts._PICTURES[screen]:
        picture = fonts.pictures(ASSETS, screen, LOADED)[name]
        crc = 0
        for index in range(picture.count):
            crc = crc32(bytes(picture.frame(index)[0]), crc)
        told["pictures"][name] = crc
print(json.dumps(told))
