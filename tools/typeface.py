"""Letters of Source Sans 3 as small bitmaps: knows the vendored font files, FreeType, and no file of ours.

Invariant: every size has every letter of LETTERS, and no letter reaches out of its line.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import freetype
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).resolve().parents[1] / "fleet_server/web/static/vendor/source-sans-3"
SOFT_HYPHEN, BOX = "\u00ad", "\u25a1"
# ASCII; Latin-1's letters (Finnish, Swedish, and names from further away); North, Inari and Skolt Sámi; the signs
# that typed texts have. A soft hyphen is there with no width, so that a text may hold it.
ASCII = "".join(map(chr, range(0x20, 0x7F)))
LATIN = "".join(chr(code) for code in range(0xC0, 0x100) if code not in (0xD7, 0xF7))
SAMI = "áâčđŋõšŧžǥǧǩʒǯåäöÁÂČĐŊÕŠŦŽǤǦǨƷǮÅÄÖʹʼˈ"
SIGNS = "\u00a0–—−×’‘”“»«…•·€°½§" + SOFT_HYPHEN + BOX
LETTERS = "".join(sorted(set(ASCII + LATIN + SAMI + SIGNS)))
# The vendored files have no k with caron: its two parts are put together, the caron as it stands on h.
_CARON = {"ǩ": ("k", "ȟ"), "Ǩ": ("K", "Ȟ")}


@dataclass(frozen=True)
class Letter:
    """rows: pixel values, 0 (paper) to 255 (ink). left, top: where the box begins, from the pen and from the line's
    upper edge. advance: how far the pen moves."""

    rows: tuple[bytes, ...]
    left: int
    top: int
    advance: int

    @property
    def width(self) -> int:
        return len(self.rows[0]) if self.rows else 0


@dataclass(frozen=True)
class Size:
    """One size of the typeface: line height, baseline below the line's upper edge, letters."""

    height: int
    ascent: int
    letters: dict[str, Letter]


def render(pixels: int, weight: int, grey: bool) -> Size:
    """The typeface at `pixels` to the em; grey: smooth edges, else black and white fitted to the pixels."""
    latin = _open(weight, "latin")
    extended = _open(weight, "latin-ext")
    for made, (base, with_caron) in _CARON.items():
        _add_with_caron(extended, made, latin, base, with_caron)
    faces = [_face(font, pixels) for font in (latin, extended)]
    flags = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_FORCE_AUTOHINT
    flags |= freetype.FT_LOAD_TARGET_LIGHT if grey else freetype.FT_LOAD_TARGET_MONO
    found = {letter: _letter(faces, letter, flags) for letter in LETTERS if letter not in (SOFT_HYPHEN, BOX)}
    ascent = max(-letter.top for letter in found.values() if letter.rows)
    descent = max(letter.top + len(letter.rows) for letter in found.values() if letter.rows)
    letters = {
        sign: Letter(letter.rows, letter.left, letter.top + ascent if letter.rows else 0, letter.advance)
        for sign, letter in found.items()
    }
    letters[SOFT_HYPHEN] = Letter((), 0, 0, 0)
    letters[BOX] = _box(pixels, ascent)
    return Size(ascent + descent + max(1, pixels // 20), ascent, letters)


def _open(weight: int, part: str) -> Any:
    return TTFont(FOLDER / f"source-sans-3-{part}-{weight}-normal.woff2")


def _add_with_caron(font: Any, made: str, source: Any, base: str, with_caron: str) -> None:
    """Add letter `made` to `font`: `base` of `source`, and above it the mark of the font's own `with_caron`."""
    pen = TTGlyphPen(None)
    drawn = source.getGlyphSet()
    name = source.getBestCmap()[ord(base)]
    drawn[name].draw(pen)
    mark = font["glyf"][font.getBestCmap()[ord(with_caron)]].components[1]
    font.getGlyphSet()[mark.glyphName].draw(TransformPen(pen, (1, 0, 0, 1, mark.x, mark.y)))
    new = f"uni{ord(made):04X}"
    font.setGlyphOrder([*font.getGlyphOrder(), new])
    font["glyf"][new] = pen.glyph()
    font["hmtx"][new] = source["hmtx"][name]
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[ord(made)] = new


def _face(font: Any, pixels: int) -> Any:
    plain = io.BytesIO()
    font.flavor = None  # FreeType reads woff2 only when it was built so
    font.save(plain)
    plain.seek(0)
    face = freetype.Face(plain)
    face.set_pixel_sizes(0, pixels)
    return face


def _letter(faces: list[Any], letter: str, flags: int) -> Letter:
    """`top` counts from the baseline here."""
    for face in faces:
        if face.get_char_index(letter):
            face.load_char(letter, flags)
            slot, bitmap = face.glyph, face.glyph.bitmap
            rows = tuple(_row(bitmap, y) for y in range(bitmap.rows))
            if not any(map(any, rows)):
                rows = ()  # a blank may come as a box without ink
            return Letter(rows, slot.bitmap_left, -slot.bitmap_top, round(slot.advance.x / 64))
    raise ValueError(f"typeface: no file in {FOLDER} has the letter {letter!r} (U+{ord(letter):04X})")


def _row(bitmap: Any, y: int) -> bytes:
    line = bitmap.buffer[y * bitmap.pitch : (y + 1) * bitmap.pitch]
    if bitmap.pixel_mode == freetype.FT_PIXEL_MODE_MONO:
        return bytes(255 * (line[x >> 3] >> (7 - (x & 7)) & 1) for x in range(bitmap.width))
    return bytes(line[: bitmap.width])


def _box(pixels: int, ascent: int) -> Letter:
    """What stands for a letter that nobody has drawn: an empty box as high as a capital."""
    height, width, line = round(pixels * 0.66), round(pixels * 0.5), max(1, pixels // 16)
    full, open_ = b"\xff" * width, b"\xff" * line + b"\0" * (width - 2 * line) + b"\xff" * line
    rows = [full] * line + [open_] * (height - 2 * line) + [full] * line
    gap = max(1, pixels // 14)
    return Letter(tuple(rows), gap, ascent - height, width + 2 * gap)
