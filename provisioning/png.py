"""A kiosk's frame as a PNG picture. Knows two kinds of pixels and no screen."""

import struct
import zlib

_FIVE_BITS = 31
_SIX_BITS = 63
# A colour's first byte holds rrrrrggg, its second gggbbbbb; full brightness becomes 255, so that white is white.
_RED = bytes((byte >> 3) * 255 // _FIVE_BITS for byte in range(256))
_BLUE = bytes((byte & 31) * 255 // _FIVE_BITS for byte in range(256))
_GREEN_HIGH = bytes((byte & 7) << 3 for byte in range(256))
_GREEN_LOW = bytes(byte >> 5 for byte in range(256))
_GREEN = bytes(min(byte, _SIX_BITS) * 255 // _SIX_BITS for byte in range(256))


def png(frame: bytes | bytearray | memoryview, width: int, height: int) -> bytes:
    """`frame`: RGB565 with the high byte first, or one bit a pixel (1 is white) in rows of whole bytes.

    Raises:
        ValueError: the frame has neither size.
    """
    pixels = bytes(frame)
    if len(pixels) == 2 * width * height:
        return _file(width, height, 8, 2, rgb(pixels), 3 * width)
    row_bytes = (width + 7) // 8
    if len(pixels) == row_bytes * height:
        return _file(width, height, 1, 0, pixels, row_bytes)
    raise ValueError(
        f"a frame of {len(pixels)} bytes is no {width} x {height} picture of 16 bits or 1 bit a pixel"
    )


def rgb(pixels: bytes) -> bytes:
    """RGB565 with the high byte first as three bytes a pixel."""
    high, low = pixels[::2], pixels[1::2]
    # Six bits of green, put together for all pixels at once: no sum reaches the next byte.
    green = int.from_bytes(high.translate(_GREEN_HIGH), "big") + int.from_bytes(
        low.translate(_GREEN_LOW), "big"
    )
    colors = bytearray(3 * len(high))
    colors[::3] = high.translate(_RED)
    colors[1::3] = green.to_bytes(len(high), "big").translate(_GREEN)
    colors[2::3] = low.translate(_BLUE)
    return bytes(colors)


def _file(width: int, height: int, depth: int, kind: int, pixels: bytes, row_bytes: int) -> bytes:
    rows = b"".join(
        b"\0" + pixels[start : start + row_bytes] for start in range(0, height * row_bytes, row_bytes)
    )
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
