"""Random drawings on a frame buffer, the same on both interpreters: a line for each, a checksum after each call.

micropython random_drawing.py FIRMWARE SEED DRAWINGS
"""

import sys
from binascii import crc32

CALLS = 40


class Dice:
    """A generator with the same numbers on both interpreters."""

    def __init__(self, seed):
        self._state = seed & 0x3FFFFFFF or 1

    def below(self, most):
        self._state = (self._state * 1103515245 + 12345) & 0x3FFFFFFF
        return (self._state >> 8) % most

    def bytes(self, count):
        return bytes([self.below(256) for _ in range(count)])


def drawing(raster, seed):
    """Checksums of one drawing."""
    dice = Dice(seed * 7919 + 17)
    mono = dice.below(2)
    width, height = 1 + dice.below(60), 1 + dice.below(30)
    format = raster.MONO_HLSB if mono else raster.RGB565
    buffer = bytearray(((width + 7) // 8 if mono else 2 * width) * height)
    frame = raster.FrameBuffer(buffer, width, height, format)
    colors = (0, 1) if mono else (0, 0xFFFF, 0x1234, dice.below(65536), dice.below(65536))
    sums = []
    for _ in range(CALLS):
        call = dice.below(6)
        x, y = dice.below(width + 40) - 20, dice.below(height + 40) - 20
        color = colors[dice.below(len(colors))]
        if call == 0:
            frame.fill_rect(x, y, dice.below(50) - 3, dice.below(30) - 3, color)
        elif call == 1:
            frame.pixel(x, y, color)
        elif call == 2 and dice.below(8) == 0:
            frame.fill(color)
        else:
            _blit(raster, dice, frame, mono, x, y, colors)
        sums.append(crc32(buffer))
    sums.append([frame.pixel(x, height // 2) for x in range(-1, width + 1)])
    return sums


def grey(raster, seed):
    """A four-bit frame, pixel by pixel and filled, as palettes and discs are made."""
    dice = Dice(seed)
    width, height = 1 + dice.below(20), 1 + dice.below(20)
    buffer = bytearray((width + 1) // 2 * height)
    frame = raster.FrameBuffer(buffer, width, height, raster.GS4_HMSB)
    for _ in range(CALLS):
        frame.pixel(dice.below(width + 4) - 2, dice.below(height + 4) - 2, dice.below(16))
    middle = crc32(buffer)
    return [middle, [frame.pixel(x, height // 2) for x in range(width)]]


def _blit(raster, dice, frame, mono, x, y, colors):
    wide, high = 1 + dice.below(40), 1 + dice.below(20)
    if mono:
        stride = (wide + 7) // 8 * 8
        pixels, format = dice.bytes(stride // 8 * high), raster.MONO_HLSB
        palette = raster.FrameBuffer(bytearray(1), 2, 1, raster.MONO_HLSB)
        count = 2
    else:
        stride = (wide + 1) // 2 * 2
        pixels, format = dice.bytes(stride // 2 * high), raster.GS4_HMSB
        palette = raster.FrameBuffer(bytearray(32), 16, 1, raster.RGB565)
        count = 16
    for entry in range(count):
        palette.pixel(entry, 0, colors[dice.below(len(colors))])
    key = colors[dice.below(len(colors))] if dice.below(3) else -1
    frame.blit((memoryview(pixels), wide, high, format, stride), x, y, key, palette)


def lines(raster, seed, drawings):
    """For each drawing what it left, as a line of text."""
    for number in range(drawings):
        yield f"{drawing(raster, seed + number)} {grey(raster, seed + number)}"


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    import screens.raster

    for line in lines(screens.raster, int(sys.argv[2]), int(sys.argv[3])):
        print(line)
