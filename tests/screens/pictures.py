"""Pictures of screens for the tests: drawn by the firmware's code, kept as PNG with a palette, compared pixel by pixel.

Knows no scene. Invariant: a kept picture read back is the picture that was drawn.
"""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fleet_server.screens.png import frame
from provisioning.png import rgb

WIDTH, HEIGHT = 480, 320
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RED = b"\xe0\xe0\xe0", b"\xd0\x00\x00"
Pixels = list[bytes]  # rows of three bytes a pixel


def drawn(page: Any) -> Pixels:
    """A page as a kiosk's display shows it."""
    return rows(bytes(frame(page, WIDTH, HEIGHT, mono=False).pixels))


def rows(pixels: bytes) -> Pixels:
    """What goes to a display, as it is seen."""
    seen = rgb(pixels)
    return [seen[start : start + 3 * WIDTH] for start in range(0, len(seen), 3 * WIDTH)]


def kept(picture: Pixels) -> bytes:
    """As a PNG file of at most 256 colours, the most frequent first."""
    counts: dict[bytes, int] = {}
    for row in picture:
        for start in range(0, len(row), 3):
            color = row[start : start + 3]
            counts[color] = counts.get(color, 0) + 1
    colors = sorted(counts, key=lambda color: (-counts[color], color))
    if len(colors) > 256:
        raise ValueError(f"a picture of {len(colors)} colours has no palette")
    index = {color: number for number, color in enumerate(colors)}
    body = bytearray()
    for row in picture:
        body.append(0)
        body += bytes([index[row[start : start + 3]] for start in range(0, len(row), 3)])
    head = struct.pack(">IIBBBBB", len(picture[0]) // 3, len(picture), 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", head), (b"PLTE", b"".join(colors)), (b"IDAT", zlib.compress(bytes(body), 9)), (b"IEND", b""),
    )  # fmt: skip
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def read(path: Path) -> Pixels:
    """What `kept` wrote."""
    content = path.read_bytes()
    chunks, at = {}, len(_SIGNATURE)
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        chunks[content[at + 4 : at + 8]] = content[at + 8 : at + 8 + size]
        at += size + 12
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    palette, body = chunks[b"PLTE"], zlib.decompress(chunks[b"IDAT"])
    colors = [palette[start : start + 3] for start in range(0, len(palette), 3)]
    return [
        b"".join([colors[index] for index in body[start + 1 : start + 1 + width]])
        for start in range(0, height * (width + 1), width + 1)
    ]


def beside(old: Pixels | None, new: Pixels) -> Pixels:
    """Old, new, and what differs in red, side by side."""
    gap = _GREY * 8
    empty = [_GREY * WIDTH] * len(new)
    rows = []
    for before, after in zip(old or empty, new, strict=True):
        marked = b"".join(
            [_GREY if before[at : at + 3] == after[at : at + 3] else _RED for at in range(0, len(after), 3)]
        )
        rows.append(before + gap + after + gap + marked)
    return rows


def sheet(pictures: Sequence[Pixels], columns: int) -> Pixels:
    """Pictures of one size in rows and columns, to be looked at."""
    gap = [b"\x60\x60\x60" * ((WIDTH + 10) * columns + 10)] * 10
    rows = list(gap)
    for first in range(0, len(pictures), columns):
        line = [*pictures[first : first + columns]]
        line += [[b"\x60\x60\x60" * WIDTH] * HEIGHT] * (columns - len(line))
        side = b"\x60\x60\x60" * 10
        rows += [side + side.join([picture[y] for picture in line]) + side for y in range(HEIGHT)]
        rows += gap
    return rows
