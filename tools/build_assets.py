"""Writes firmware/assets: the screens' fonts and pictures as files that firmware/screens/fonts.py reads.

    .venv/bin/pip install --group assets && .venv/bin/python tools/build_assets.py

Its output is committed: nobody needs this script, or what it imports, to build or run a kiosk. Layout of the files,
integers little-endian, pixels from the left with the first one in a byte's highest bits:

    <name>.font.bin     "HyF1", bits a pixel u8, line height u8, ascent u8, 0, letters u16, bytes of pixels u16,
                        bytes of the largest letter u16; a row a letter, by code, the first 95 being ASCII:
                        code u16, offset of its pixels u16, width u8, height u8, left i8, top u8, advance u8, 0; pixels
    <name>.picture.bin  "HyP1", bits a pixel u8, width u8, height u8, frames u8; the frames' pixels

Invariant: the same sources give the same bytes; no file reaches 64 KiB (a kiosk loads each into one block of memory).
"""

import shutil
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import drawings
import typeface

ASSETS = Path(__file__).resolve().parents[1] / "firmware" / "assets"
MOST_BYTES = 65_535
# name: pixels to the em, weight, bits a pixel. One-bit letters want the heavier weight: their thin strokes are a pixel.
FONTS = {
    "s": (18, 400, 4),
    "m": (28, 600, 4),
    "l": (44, 600, 4),
    "p20": (20, 600, 1),
    "p30": (30, 600, 1),
    "p44": (44, 600, 1),
}
PICTURES = {
    "face84": (drawings.FACES, 84, 4),
    "face60": (drawings.FACES, 60, 4),
    "icons": (drawings.ICONS, 32, 4),
    "pface48": (drawings.PAPER_FACES, 48, 1),
    "psigns": (drawings.PAPER_SIGNS, 64, 1),
    "corner": (drawings.CORNER_SIGNS, 24, 4),
    "pcorner": (drawings.CORNER_SIGNS, 24, 1),
}


def main() -> None:
    ASSETS.mkdir(exist_ok=True)
    shutil.copyfile(typeface.FOLDER / "LICENSE.txt", ASSETS / "LICENSE")
    for name, (pixels, weight, bits) in FONTS.items():
        _write(f"{name}.font.bin", font_bytes(typeface.render(pixels, weight, grey=bits == 4), bits))
    for name, (shapes, pixels, bits) in PICTURES.items():
        frames = [drawings.render(shape, pixels) for shape in shapes.values()]
        _write(f"{name}.picture.bin", picture_bytes(frames, pixels, bits))


def font_bytes(size: typeface.Size, bits: int) -> bytes:
    """A size of the typeface as the content of a font file."""
    index, pixels, largest = bytearray(), bytearray(), 0
    for sign, letter in sorted(size.letters.items()):
        packed = pack(letter.rows, bits)
        index += struct.pack(
            "<HHBBbBBx",
            ord(sign),
            len(pixels),
            letter.width,
            len(letter.rows),
            letter.left,
            letter.top,
            letter.advance,
        )
        pixels += packed
        largest = max(largest, len(packed))
    head = struct.pack(
        "<4sBBBxHHH", b"HyF1", bits, size.height, size.ascent, len(size.letters), len(pixels), largest
    )
    return head + bytes(index) + bytes(pixels)


def picture_bytes(frames: Sequence[Iterable[bytes]], pixels: int, bits: int) -> bytes:
    """Square frames of equal size as the content of a picture file."""
    head = struct.pack("<4sBBBB", b"HyP1", bits, pixels, pixels, len(frames))
    return head + b"".join(pack(rows, bits) for rows in frames)


def pack(rows: Iterable[bytes], bits: int) -> bytes:
    """Rows of values 0 to 255 with `bits` a pixel; each row begins with a new byte."""
    most = (1 << bits) - 1
    per_byte = 8 // bits
    packed = bytearray()
    for row in rows:
        for start in range(0, len(row), per_byte):
            byte = 0
            for value in row[start : start + per_byte].ljust(per_byte, b"\0"):
                byte = byte << bits | (value * most + 127) // 255
            packed.append(byte)
    return bytes(packed)


def _write(name: str, content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise ValueError(
            f"{name}: {len(content)} bytes, at most {MOST_BYTES} fit one block of a kiosk's memory"
        )
    (ASSETS / name).write_bytes(content)
    print(f"{name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
