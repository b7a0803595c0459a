"""Espressif's image format, as bootloaders and apps have it: checked, cut to its length, its flash size set.

Knows no MicroPython and no partition. Invariant: what `checked` and `with_flash_size` return carries a right checksum
and a right SHA-256. The format is esptool's (docs.espressif.com, "Firmware Image Format"): a header of 24 bytes,
segments, an XOR at the end of a 16-byte row, a SHA-256 of all before it.
"""

import hashlib
import struct
from functools import reduce
from operator import xor

from provisioning.errors import ProvisioningError

MAGIC = 0xE9
_HEADER_BYTES = 24
_SEGMENT = struct.Struct("<II")
_CHECKSUM_SEED = 0xEF
_CHIP_ID_AT, _HASHED_AT, _SIZE_AT = 12, 23, 3
_MOST_SEGMENTS = 16
_SHA256_BYTES = 32
# The high half of byte 3; the low half is the flash's frequency.
_SIZE_CODES = {1 << 20: 0, 2 << 20: 1, 4 << 20: 2, 8 << 20: 3, 16 << 20: 4, 32 << 20: 5}


def checked(content: bytes, what: str) -> bytes:
    """The image at the beginning of `content`, without what follows it. `what`: for the sentence.

    Raises ProvisioningError when it is none, is cut off, or its checksum or SHA-256 is wrong.
    """
    if len(content) < _HEADER_BYTES or content[0] != MAGIC:
        raise ProvisioningError(f"{what}: this is no ESP32 image (its first byte is not 0xE9)")
    segments, at, check = content[1], _HEADER_BYTES, _CHECKSUM_SEED
    if not 1 <= segments <= _MOST_SEGMENTS:
        raise ProvisioningError(f"{what}: damaged, its header tells of {segments} segments")
    for _ in range(segments):
        if at + _SEGMENT.size > len(content):
            raise ProvisioningError(f"{what}: cut off after {len(content)} bytes; download it again")
        start = at + _SEGMENT.size
        at = start + _SEGMENT.unpack_from(content, at)[1]
        check = _xored(content[start:at], check)
    at |= 15  # the checksum is the last byte of a row of 16
    end = at + 1 + (_SHA256_BYTES if content[_HASHED_AT] else 0)
    if end > len(content):
        raise ProvisioningError(f"{what}: cut off after {len(content)} bytes of {end}; download it again")
    if content[at] != check:
        raise ProvisioningError(f"{what}: damaged (its checksum is wrong); download it again")
    if content[_HASHED_AT] and hashlib.sha256(content[: at + 1]).digest() != content[at + 1 : end]:
        raise ProvisioningError(f"{what}: damaged (its SHA-256 is wrong); download it again")
    return content[:end]


def chip_id(image: bytes) -> int:
    """The id of the chip that an image is for."""
    return int(struct.unpack_from("<H", image, _CHIP_ID_AT)[0])


def with_flash_size(image: bytes, flash_bytes: int) -> bytes:
    """The image with another flash size in its header: with too small a one the bootloader refuses our table."""
    code = _SIZE_CODES[flash_bytes]
    changed = image[:_SIZE_AT] + bytes([code << 4 | image[_SIZE_AT] & 0x0F]) + image[_SIZE_AT + 1 :]
    if not image[_HASHED_AT]:
        return changed
    body = changed[:-_SHA256_BYTES]
    return body + hashlib.sha256(body).digest()


def _xored(data: bytes, seed: int) -> int:
    """XOR of all bytes, four thousand at a time."""
    width = 4096
    padded = data.ljust(-(-len(data) // width) * width, b"\0")
    rows = (int.from_bytes(padded[i : i + width], "little") for i in range(0, len(padded), width))
    return reduce(xor, reduce(xor, rows, 0).to_bytes(width, "little"), seed)
