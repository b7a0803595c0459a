"""Flash images of small kiosks for boards, and journals with answers in them, made once for all tests."""

from functools import lru_cache

from kiosk import record
from kiosk.journal import Journal

from provisioning.chips import CHIPS, ESP32, Chip
from provisioning.firmware_files import FirmwareFiles
from provisioning.flash_layout import LAYOUT, TABLE_BYTES, TABLE_OFFSET, Partition, encode, partition
from provisioning.identity import Identity
from provisioning.image import build_image
from provisioning.kiosk_journal import _Flash
from tests.provisioning.stock_images import small_stock

FILES = FirmwareFiles({"/boot.py": b"", "/main.py": b"pass\n", "/kiosk/a.mpy": bytes(range(200))}, "0", 1, "")


def kiosk_id(number: int) -> str:
    return f"kiosk{number:07d}"


@lru_cache(maxsize=32)
def image(number: int, chip: Chip = ESP32) -> bytes:
    """The whole flash of kiosk `number`."""
    assert chip in CHIPS
    who = Identity(id=kiosk_id(number), secret=f"{number:064x}", host="127.0.0.1", port=9)
    return build_image(FILES, who, "button5", stock=small_stock(chip)).content


def journal(answers: int, booked: int = 0, sectors: int = 3, seed: int = 7, text: bytes = b"") -> bytes:
    """A journal partition as a kiosk leaves it: a boot record, then answers; the first `booked` seqs were booked."""
    flash = _Flash(b"\xff" * sectors * 4096)
    numbers = iter(range(seed * 1000, seed * 1000 + 99))
    kept = Journal(flash, lambda n: next(numbers).to_bytes(n, "little"))
    kept.append(record.KIND_BOOT, body=record.boot_body(1, 100))
    for press in range(answers):
        kept.append(
            record.KIND_ANSWER, set_number=1, session=0, value=1 + press % 5, uptime=press * 100, body=text
        )
    if booked:
        kept.release(kept.epoch, booked)
    return bytes(flash._data)


def small_table(journal_bytes: int) -> tuple[Partition, ...]:
    """Our table with another size of journal: reading a mebibyte through pyserial's `socket://` takes 6 s."""
    return tuple(row._replace(size=journal_bytes) if row.label == "journal" else row for row in LAYOUT)


def with_journal(content: bytes, held: bytes) -> bytes:
    """A flash image with this journal, in a partition of its size."""
    table, row = encode(small_table(len(held))), partition("journal")
    content = content[:TABLE_OFFSET] + table + content[TABLE_OFFSET + TABLE_BYTES :]
    return content[: row.offset] + held + content[row.offset + len(held) :]
