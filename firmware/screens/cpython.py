"""MicroPython's frame buffer for CPython, as far as the screens use it, for tests and the server. No kiosk loads it.

Invariant: every call leaves the bytes that MicroPython's `framebuf` leaves, pixel for pixel. Rows are moved as slices,
translation tables and whole numbers, because a pixel at a time would make the server's pictures slow.
"""

MONO_HLSB = 3
RGB565 = 1
GS4_HMSB = 2

_HEX = b"0123456789abcdef"  # the digits that bytes.hex() gives: one a grey pixel


class FrameBuffer:
    """`FrameBuffer(buffer, width, height, format)`: rows from the top, each beginning with a new byte."""

    def __init__(self, buffer, width, height, format):
        if format == RGB565:
            self.row_bytes = 2 * width
        elif format == GS4_HMSB:
            self.row_bytes = (width + 1) // 2
        elif format == MONO_HLSB:
            self.row_bytes = (width + 7) // 8
        else:
            raise ValueError("invalid format")
        if width < 1 or height < 1 or self.row_bytes * height > len(buffer):
            raise ValueError("a buffer of %d bytes is too small for %d x %d" % (len(buffer), width, height))
        self.buffer = buffer
        self.width = width
        self.height = height
        self.format = format

    def fill(self, color):
        self.fill_rect(0, 0, self.width, self.height, color)

    def fill_rect(self, x, y, width, height, color):
        left, right = max(x, 0), min(x + width, self.width)
        top, bottom = max(y, 0), min(y + height, self.height)
        if left >= right or top >= bottom:
            return
        if self.format == RGB565:
            run = (color & 0xFFFF).to_bytes(2, "little") * (right - left)
            for start in range(top * self.row_bytes + 2 * left, bottom * self.row_bytes, self.row_bytes):
                self.buffer[start : start + len(run)] = run
        elif self.format == MONO_HLSB:
            bits = self.row_bytes * 8
            run = (1 << bits - left) - (1 << bits - right)
            for row in range(top, bottom):
                self._set_bits(row, run, color & 1)
        else:
            for row in range(top, bottom):
                for column in range(left, right):
                    self.pixel(column, row, color)

    def pixel(self, x, y, color=None):
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        if self.format == RGB565:
            at = y * self.row_bytes + 2 * x
            if color is None:
                return int.from_bytes(self.buffer[at : at + 2], "little")
            self.buffer[at : at + 2] = (color & 0xFFFF).to_bytes(2, "little")
            return None
        if self.format == MONO_HLSB:
            at, shift, mask = y * self.row_bytes + (x >> 3), 7 - (x & 7), 1
        else:
            at, shift, mask = y * self.row_bytes + (x >> 1), 0 if x & 1 else 4, 15
        if color is None:
            return self.buffer[at] >> shift & mask
        self.buffer[at] = self.buffer[at] & ~(mask << shift) & 0xFF | (color & mask) << shift
        return None

    def blit(self, source, x, y, key, palette):
        """`source`: (pixels, width, height, format, stride in pixels): grey onto colours, or bits onto bits.

        A pixel becomes what the palette says; where that is `key`, the ground stays.
        """
        pixels, width, height, format, stride = source
        left, right = max(x, 0), min(x + width, self.width)
        top, bottom = max(y, 0), min(y + height, self.height)
        if left >= right or top >= bottom:
            return
        if (self.format, format) == (RGB565, GS4_HMSB):
            tables = _tables(palette, key)
            put, source_bytes = self._put_grey, stride // 2
        elif (self.format, format) == (MONO_HLSB, MONO_HLSB):
            tables = palette.pixel(0, 0), palette.pixel(1, 0), key
            put, source_bytes = self._put_bits, (stride + 7) // 8
        else:
            raise ValueError("no screen draws format %d onto %d" % (format, self.format))
        for row in range(top, bottom):
            start = (row - y) * source_bytes
            put(row, left, right, bytes(pixels[start : start + source_bytes]), left - x, tables)

    def _put_grey(self, row, left, right, packed, skip, tables):
        low, high, keep = tables
        digits = packed.hex().encode()[skip : skip + right - left]
        start, end = row * self.row_bytes + 2 * left, row * self.row_bytes + 2 * right
        kept = digits.translate(keep)
        if any(kept):
            ground = int.from_bytes(kept, "little")
            for first, table in ((start, low), (start + 1, high)):
                old = int.from_bytes(self.buffer[first:end:2], "little") & ground
                new = old | int.from_bytes(digits.translate(table), "little")
                self.buffer[first:end:2] = new.to_bytes(right - left, "little")
        else:
            self.buffer[start:end:2] = digits.translate(low)
            self.buffer[start + 1 : end : 2] = digits.translate(high)

    def _put_bits(self, row, left, right, packed, skip, tables):
        paper, ink, key = tables
        window = (1 << right - left) - 1
        bits = (int.from_bytes(packed, "big") >> len(packed) * 8 - skip - (right - left)) & window
        shift = self.row_bytes * 8 - right
        if ink != key:
            self._set_bits(row, bits << shift, ink)
        if paper != key:
            self._set_bits(row, (bits ^ window) << shift, paper)

    def _set_bits(self, row, bits, color):
        start, end = row * self.row_bytes, (row + 1) * self.row_bytes
        old = int.from_bytes(self.buffer[start:end], "big")
        new = old | bits if color else old & ~bits
        self.buffer[start:end] = new.to_bytes(self.row_bytes, "big")


def _tables(palette, key):
    """For digits of a grey row: low bytes, high bytes (0 where the ground stays) and 255 where it stays."""
    low, high, keep = bytearray(256), bytearray(256), bytearray(256)
    for grey, digit in enumerate(_HEX):
        color = palette.pixel(grey, 0)
        if color == key:
            keep[digit] = 255
        else:
            low[digit], high[digit] = color & 255, color >> 8
    return low, high, keep
