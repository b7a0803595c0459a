"""A real MicroPython image for the ESP32, from a package; a list that knows it; and the same as if for an ESP32-S3."""

import hashlib
import random
import struct
import sys
from pathlib import Path

from provisioning import esp_image
from provisioning.chips import Chip
from provisioning.flash_layout import TABLE_OFFSET, encode, partition
from provisioning.stock import Stock

_FOLDER = Path(
    sys.prefix, "stock-firmware", "thonnycontrib", "thonny_etboard_firmware", "etboard", "firmware"
)
REAL = _FOLDER / "etboard_firmware_micropython_custom_0608_last.bin"
REAL_SHA256 = "55d0263da512cf300749ee8481aea8b83081914658c6eb2e1b22226cc6c5b741"
REAL_APP_AT = 0x10000 - 0x1000  # in the file, which begins at the bootloader


def list_of(path: Path, *digests: str) -> Path:
    """A list of stock images with these SHA-256."""
    path.write_text("".join(f'[[image]]\nname = "x"\nsha256 = "{digest}"\n' for digest in digests))
    return path


def modern(path: Path) -> Path:
    """The real image with another version in its banner, so that it counts as new enough; its digests put right."""
    content = REAL.read_bytes()
    app = esp_image.checked(content[REAL_APP_AT:], "app")
    old, new = b"MicroPython v1.15-108-g", b"MicroPython v1.29.0-x-g"
    assert app.count(old) == 1
    path.write_bytes(content[:REAL_APP_AT] + signed(app.replace(old, new)))
    return path


def for_s3(path: Path) -> Path:
    """The real parts as an ESP32-S3 would have them: bootloader at 0, another chip id. It would not run there."""
    content = REAL.read_bytes()
    bootloader, app = (esp_image.checked(content[at:], "part") for at in (0, REAL_APP_AT))
    flash = bytearray(b"\xff" * 0x10000)
    for part, at in ((bootloader, 0), (content[TABLE_OFFSET - 0x1000 :][:0xC00], TABLE_OFFSET)):
        flash[at : at + len(part)] = part
    flash[: len(bootloader)] = signed(bootloader[:12] + b"\x09\x00" + bootloader[14:])
    path.write_bytes(bytes(flash) + signed(app[:12] + b"\x09\x00" + app[14:]))
    return path


def small_stock(chip: Chip, app_bytes: int = 120_000, banner: bytes = b"") -> Stock:
    """Bootloader and app as the format wants them, of bytes that do not compress: a few blocks to write."""

    def part(size: int, begin: bytes = b"") -> bytes:
        data = begin + random.Random(size).randbytes((size & ~3) - len(begin))
        head = bytes([0xE9, 1, 2, 0x30]) + bytes(8) + struct.pack("<H", chip.image_id) + bytes(9) + b"\1"
        body = head + struct.pack("<II", 0x3FFF0000, len(data)) + data
        return signed(body + bytes(15 - len(body) % 16) + b"\0" + bytes(32))

    return Stock(chip, part(18_000), part(app_bytes, banner), "0" * 64, "v1.29", ())


def small_file(path: Path, chip: Chip) -> Path:
    """A whole stock image file of such parts, as if it were downloaded."""
    stock = small_stock(chip, banner=b"MicroPython v1.29.0 on 2026-08-01; small\0")
    app = partition("ota_0").offset
    flash = bytearray(b"\xff" * app)
    for part, at in ((stock.bootloader, chip.bootloader_offset), (encode(), TABLE_OFFSET)):
        flash[at : at + len(part)] = part
    path.write_bytes(bytes(flash[chip.bootloader_offset :]) + stock.app)
    return path


def signed(image: bytes) -> bytes:
    """An image whose bytes were changed, with the checksum and the SHA-256 that it needs now."""
    body = bytearray(image[:-32] if image[23] else image)
    at, check = 24, 0xEF
    for _ in range(body[1]):
        size = int.from_bytes(body[at + 4 : at + 8], "little")
        check ^= esp_image._xored(bytes(body[at + 8 : at + 8 + size]), 0)
        at += 8 + size
    body[-1] = check
    return bytes(body) + (hashlib.sha256(body).digest() if image[23] else b"")
