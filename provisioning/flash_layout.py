"""Where everything lies in a kiosk's flash, and the ESP-IDF partition table that says so. Knows no content.

Invariant: what `encode` writes, the ESP32's bootloader, stock MicroPython and
`firmware/boards/unix_boot.py` read alike. The format is ESP-IDF's (gen_esp32part.py): 32-byte entries
`<HBBII16sI`, then an entry with the MD5 of those before it, then 0xFF.
"""

import hashlib
import struct
from collections.abc import Sequence
from typing import NamedTuple

from provisioning.errors import ProvisioningError

FLASH_BYTES = 8 * 1024 * 1024
SECTOR_BYTES = 4096
TABLE_OFFSET = 0x8000
TABLE_BYTES = 0xC00

TYPE_APP = 0x00
TYPE_DATA = 0x01
# A data subtype that ESP-IDF has given to nothing; we look for the label, other tools print the number.
SUBTYPE_JOURNAL = 0x40
# Stock MicroPython looks for the label `vfs` among the data partitions, whatever their subtype
# (flashbdev.py).
SUBTYPE_LITTLEFS = 0x83

_ENTRY = struct.Struct("<HBBII16sI")
_ENTRY_MAGIC = 0x50AA
_MD5_PREFIX = b"\xeb\xeb" + b"\xff" * 14
_APP_ALIGNMENT = 0x10000


class Partition(NamedTuple):
    """One row of the table; offset and size in bytes."""

    label: str
    type: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


LAYOUT: tuple[Partition, ...] = (
    Partition("nvs", TYPE_DATA, 0x02, 0x9000, 0x4000),
    Partition("otadata", TYPE_DATA, 0x00, 0xD000, 0x2000),
    Partition("phy_init", TYPE_DATA, 0x01, 0xF000, 0x1000),
    Partition("ota_0", TYPE_APP, 0x10, 0x10000, 0x270000),
    Partition("ota_1", TYPE_APP, 0x11, 0x280000, 0x270000),
    Partition("journal", TYPE_DATA, SUBTYPE_JOURNAL, 0x4F0000, 0x100000),
    Partition("vfs", TYPE_DATA, SUBTYPE_LITTLEFS, 0x5F0000, 0x210000),
)


def partition(label: str, table: Sequence[Partition] = LAYOUT) -> Partition:
    """The partition with that label. Raises ProvisioningError when the table has none."""
    for row in table:
        if row.label == label:
            return row
    raise ProvisioningError(f"partition table: there is no partition '{label}'")


def encode(table: Sequence[Partition] = LAYOUT) -> bytes:
    """The table as it lies at 0x8000: exactly `TABLE_BYTES` bytes."""
    _check(table, FLASH_BYTES)
    rows = b"".join(
        _ENTRY.pack(_ENTRY_MAGIC, row.type, row.subtype, row.offset, row.size, row.label.encode("ascii"), 0)
        for row in table
    )
    return (rows + _MD5_PREFIX + hashlib.md5(rows, usedforsecurity=False).digest()).ljust(
        TABLE_BYTES, b"\xff"
    )


def decode(image: bytes | bytearray, flash_bytes: int | None = None) -> tuple[Partition, ...]:
    """The table of a whole flash image, or of the beginning of one of `flash_bytes`. Raises ProvisioningError for an
    image too small or a table damaged.
    """
    if len(image) < TABLE_OFFSET + TABLE_BYTES:
        raise ProvisioningError(
            f"flash image: {len(image)} bytes are too few for a partition table at {TABLE_OFFSET:#x}"
        )
    rows: list[Partition] = []
    for at in range(TABLE_OFFSET, TABLE_OFFSET + TABLE_BYTES, _ENTRY.size):
        entry = image[at : at + _ENTRY.size]
        if entry[:16] == _MD5_PREFIX:
            digest = hashlib.md5(image[TABLE_OFFSET:at], usedforsecurity=False).digest()
            if entry[16:] != digest:
                raise ProvisioningError(
                    "partition table: damaged (its MD5 does not match); write the image anew"
                )
            _check(rows, flash_bytes or len(image))
            return tuple(rows)
        magic, kind, subtype, offset, size, label, _flags = _ENTRY.unpack(entry)
        if magic != _ENTRY_MAGIC:
            break
        rows.append(Partition(label.rstrip(b"\0").decode("ascii", "replace"), kind, subtype, offset, size))
    raise ProvisioningError(
        f"partition table: damaged or missing at {TABLE_OFFSET:#x} (no MD5 entry); write the image anew"
    )


def _check(table: Sequence[Partition], flash_bytes: int) -> None:
    end = TABLE_OFFSET + SECTOR_BYTES
    for row in sorted(table, key=lambda row: row.offset):
        alignment = _APP_ALIGNMENT if row.type == TYPE_APP else SECTOR_BYTES
        if not row.label or len(row.label) > 15:
            raise ProvisioningError(f"partition table: label '{row.label}' must have 1 to 15 letters")
        if row.offset % alignment or row.size % SECTOR_BYTES or not row.size:
            raise ProvisioningError(f"partition table: '{row.label}' is not aligned to {alignment:#x}")
        if row.offset < end:
            raise ProvisioningError(f"partition table: '{row.label}' overlaps what lies before it")
        end = row.end
        if end > flash_bytes:
            raise ProvisioningError(
                f"flash image: {flash_bytes} bytes are too few, partition '{row.label}' ends at {end}"
            )
