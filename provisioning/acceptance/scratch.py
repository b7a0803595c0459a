"""Which sector of a board's flash may be erased to try it. Reads no flash; what it chooses, nothing needs.

Invariant: the sector chosen is the first of a partition for the radio's start values (`phy_init`). MicroPython has
those in its program (ESP-IDF without CONFIG_ESP_PHY_INIT_DATA_IN_PARTITION) and never reads the partition. No other
partition shares a byte with it, so that app slots, NVS, OTA data, journal and file system are out of reach.
"""

from collections.abc import Sequence

from provisioning.flash_layout import SECTOR_BYTES, TABLE_OFFSET, TYPE_DATA, Partition

SUBTYPE_PHY = 0x01
# The table's own sector, and the bootloader before it.
_FIRST_FREE = TABLE_OFFSET + SECTOR_BYTES


def scratch_sector(table: Sequence[Partition]) -> Partition | None:
    """The partition whose first sector may be erased and written, or None when this table has none."""
    for row in table:
        if row.type == TYPE_DATA and row.subtype == SUBTYPE_PHY and _lies_alone(row, table):
            return row
    return None


def _lies_alone(row: Partition, table: Sequence[Partition]) -> bool:
    if row.offset < _FIRST_FREE or row.offset % SECTOR_BYTES or row.size < SECTOR_BYTES:
        return False
    return all(
        other is row or other.end <= row.offset or other.offset >= row.offset + SECTOR_BYTES
        for other in table
    )
