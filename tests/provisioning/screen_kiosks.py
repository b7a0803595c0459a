"""A tiny program on the real unix board: it marks each touch with a square, and tells what it read."""

import shutil
import struct
import zlib
from pathlib import Path

from provisioning.firmware_files import firmware_root

WHITE, INK = b"\xff\xff", b"\xf8\x00"
SQUARE = 8

PROGRAM = """
import asyncio, time
import board

async def main():
    board.start()
    asyncio.create_task(board.background(lambda: None))
    board.show({"screen": "ready", "faces": board.faces, "kind": board.screen})
    display = board.display
    if display is None:
        await asyncio.sleep(3600)
    paper = display.format == "mono"
    band = bytearray(b"\\xff" * (display.width * 20 * (1 if paper else 16) // 8))
    for y in range(0, display.height, 20):
        display.write(0, y, display.width, 20, band)
    if paper:
        display.refresh(True)
    ink = b"\\x00" * 8 if paper else b"\\xf8\\x00" * 64
    read = []
    while True:
        await board.wait_edge()
        if paper:
            mask = board.pressed()
            if mask & 1:
                display.write(16, 40, 8, 8, ink)
            if mask & 2:
                display.refresh(False)
            if mask:
                board.show({"mask": mask})
            continue
        point = board.touch.read()
        if point is not None and point[0] >= 440:
            time.sleep_ms(400)  # a program that looks away
        if read and point == (read[-1][0] and tuple(read[-1][0])):
            continue
        read.append([point, board.touch.fingers, board.simulated()])
        if point is not None:
            display.write(point[0] // 8 * 8, point[1] // 8 * 8, 8, 8, ink)
        board.show({"read": read})

asyncio.run(main())
"""


def small_firmware(root: Path) -> Path:
    """A firmware folder with the project's own unix board and the program above."""
    project = firmware_root()
    for name in ("boards/unix.py", "kiosk/check.py", "kiosk/compat.py", "kiosk/store.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / name, root / name)
    (root / "boot.py").write_text("")
    (root / "main.py").write_text(PROGRAM)
    return root


def decoded(picture: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows (3 bytes a pixel, or packed bits) of a PNG without filters, read by its standard."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(picture):
        size, kind = struct.unpack_from(">I4s", picture, at)
        body = picture[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", picture, at + 8 + size)[0]
        parts[kind] = parts.get(kind, b"") + body
        at += 12 + size
    width, height, depth, colour = struct.unpack_from(">IIBB", parts[b"IHDR"])
    stride = {(8, 2): 3 * width, (1, 0): (width + 7) // 8}[depth, colour] + 1
    raw = zlib.decompress(parts[b"IDAT"])
    rows = [raw[start : start + stride] for start in range(0, len(raw), stride)]
    assert len(rows) == height
    assert all(row[0] == 0 for row in rows)
    return width, height, [row[1:] for row in rows]


def pixel(picture: bytes, x: int, y: int) -> tuple[int, ...]:
    """The colour of a pixel: (red, green, blue), or (0 or 1,) of one-bit pictures."""
    width, _, rows = decoded(picture)
    if len(rows[0]) == 3 * width:
        return tuple(rows[y][3 * x : 3 * x + 3])
    return (rows[y][x // 8] >> (7 - x % 8) & 1,)
