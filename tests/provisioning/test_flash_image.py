"""What stands in the flash image, read back by somebody else than its writer where there is one."""

import json
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from provisioning import filesystem, nvs
from provisioning.errors import ProvisioningError
from provisioning.firmware_files import firmware_files
from provisioning.flash_layout import (
    FLASH_BYTES,
    LAYOUT,
    TABLE_BYTES,
    TABLE_OFFSET,
    TYPE_DATA,
    Partition,
    decode,
    encode,
    partition,
)
from provisioning.identity import CA_PATH, Identity, Wifi
from provisioning.image import build_image, read_blob, with_firmware, with_identity

# As esp32's `_boot.py` does: vfs.mount(partition, "/") finds out by itself what file system there is.
STOCK_MOUNT = """
import os, sys, vfs
class Partition:
    def __init__(self, file, base, count):
        self.file, self.base, self.count = file, base, count
    def readblocks(self, n, buf, off=0):
        self.file.seek(self.base + n * 4096 + off)
        self.file.readinto(buf)
    def writeblocks(self, n, buf, off=0):
        raise OSError(30)
    def ioctl(self, op, arg):
        return {4: self.count, 5: 4096}.get(op)
vfs.mount(Partition(open(sys.argv[1], "rb"), int(sys.argv[2]), int(sys.argv[3])), "/flash")
def walk(path):
    for name, kind, *_ in os.ilistdir(path):
        if kind == 0x4000:
            walk(path + "/" + name)
        else:
            with open(path + "/" + name, "rb") as file:
                print(path + "/" + name, file.read().hex())
walk("/flash")
"""


@pytest.fixture
def image(firmware: Path, identity: Identity) -> bytes:
    return build_image(firmware_files("unix", firmware), identity, "button5").content


def content(image: bytes, label: str) -> bytes:
    row = partition(label)
    return image[row.offset : row.end]


def test_the_image_is_blank_but_for_table_identity_and_files(image: bytes) -> None:
    assert len(image) == FLASH_BYTES
    assert decode(image) == LAYOUT
    used = {"nvs", "vfs"}
    for row in LAYOUT:
        assert (set(image[row.offset : row.end]) == {0xFF}) == (row.label not in used), row.label
    assert set(image[:TABLE_OFFSET]) == {0xFF}
    assert set(image[TABLE_OFFSET + TABLE_BYTES : partition("nvs").offset]) == {0xFF}


def test_the_partition_table_is_esp_idfs_format_byte_for_byte() -> None:
    table = encode((Partition("nvs", TYPE_DATA, 2, 0x9000, 0x4000),))
    row = bytes.fromhex("aa50 0102 00900000 00400000 6e767300000000000000000000000000 00000000")
    assert table[:32] == row
    assert table[32:48] == b"\xeb\xeb" + b"\xff" * 14
    # echo -n the row's 32 bytes | md5sum
    assert table[48:64].hex() == "90f3905a9ff42e590b9dd04da80ac5ad"
    assert set(table[64:]) == {0xFF}


def test_the_layout_fills_the_flash_and_leaves_room_for_two_apps() -> None:
    assert LAYOUT[-1].end == FLASH_BYTES
    assert partition("ota_0").size == partition("ota_1").size == 0x270000
    assert partition("journal").size == 1024 * 1024


def test_stock_micropython_mounts_the_file_system_and_reads_every_byte(
    image: bytes, firmware: Path, tmp_path: Path
) -> None:
    (tmp_path / "flash.img").write_bytes(image)
    (tmp_path / "mount.py").write_text(STOCK_MOUNT)
    row = partition("vfs")
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("micropython"), tmp_path / "mount.py", tmp_path / "flash.img"),
            *(str(row.offset), str(row.size // 4096)),
        ],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stderr == ""
    read = dict(line.removeprefix("/flash").split(" ") for line in done.stdout.splitlines())
    wanted = firmware_files("unix", firmware).files
    assert {path: bytes.fromhex(text) for path, text in read.items()} == wanted


def test_the_same_firmware_gives_the_same_image(firmware: Path, identity: Identity, image: bytes) -> None:
    assert build_image(firmware_files("unix", firmware), identity, "button5").content == image


def test_the_identity_is_read_back_from_nvs(identity: Identity, firmware: Path) -> None:
    wireless = replace(identity, network=Wifi("Hyvinvointi-Wi-Fi ä", "langaton verkko"), simulated=True)
    image = build_image(firmware_files("unix", firmware), wireless, "button4").content
    assert json.loads(read_blob(image, "identity")) == {
        "id": identity.id,
        "secret": identity.secret,
        "host": "127.0.0.1",
        "port": 9,
        "tls": False,
        "ca": None,
        "simulated": True,
        "model": "button4",
    }
    assert json.loads(read_blob(image, "network")) == {
        "ssid": "Hyvinvointi-Wi-Fi ä",
        "key": "langaton verkko",
    }


@pytest.mark.parametrize("size", [0, 1, 32, 2000, 3900, 4000, 7000])
def test_a_blob_of_any_size_survives_nvs_also_across_pages(size: int) -> None:
    value = bytes(i * 7 % 256 for i in range(size))
    page = nvs.build({"before": b"x" * 100, "blob": value, "after": b"y"}, 0x4000)
    assert len(page) == 0x4000
    assert nvs.read(page, "blob") == value
    assert nvs.read(page, "after") == b"y"
    assert nvs.read(page, "missing") is None


def test_every_flipped_byte_of_a_blob_is_noticed() -> None:
    page = nvs.build({"identity": b"who I am"}, 0x4000)
    start = page.index(b"who I am")
    for at in range(start, start + 8):
        damaged = page[:at] + bytes([page[at] ^ 0x10]) + page[at + 1 :]
        with pytest.raises(ProvisioningError, match="nvs: blob 'identity' is damaged: wrong CRC"):
            nvs.read(damaged, "identity")


def test_a_blob_that_was_overwritten_gives_its_last_value() -> None:
    """NVS marks the old entries erased (two bits to 0) and appends: as an ESP32 leaves it behind."""
    old = nvs.build({"identity": b"old"}, 0x4000)
    both = bytearray(nvs.build({"identity": b"old", "other": b"new"}, 0x4000))
    renamed = bytes(both).replace(b"other\0\0\0", b"identity")
    with_new = bytearray(renamed)
    states = struct.unpack_from("<I", with_new, 32)[0]
    # Entry 0 is the namespace, 1-3 the old blob, 4-6 the new one.
    struct.pack_into("<I", with_new, 32, states & ~(0b111111 << 2))
    for entry in (4, 6):
        _sign(with_new, 64 + 32 * entry)
    assert nvs.read(old, "identity") == b"old"
    assert nvs.read(bytes(with_new), "identity") == b"new"


def _sign(page: bytearray, at: int) -> None:
    crc = zlib.crc32(page[at + 8 : at + 32], zlib.crc32(page[at : at + 4], 0xFFFFFFFF))
    struct.pack_into("<I", page, at + 4, crc)


def test_an_update_replaces_the_firmware_and_keeps_everything_else(image: bytes, firmware: Path) -> None:
    row = partition("vfs")
    state = {"/settings.a": b"{}", "/sets/14.json": b"x" * 4000, "/lib/theirs.py": b"1"}
    used = image[: row.offset] + filesystem.build(
        {**filesystem.read(content(image, "vfs")), **state}, row.size
    )
    journal = partition("journal")
    used = used[: journal.offset] + bytes(range(256)) * 4096 + used[journal.end :]
    (firmware / "kiosk" / "marker.py").unlink()
    (firmware / "kiosk" / "extra.py").write_text("NEW = 1\n")
    new = firmware_files("unix", firmware)

    updated = with_firmware(used, new)

    assert filesystem.read(content(updated, "vfs")) == {**state, **new.files}
    assert updated[: row.offset] == used[: row.offset]
    assert len(updated) == FLASH_BYTES


def test_another_broker_port_changes_nothing_but_the_identity(identity: Identity, firmware: Path) -> None:
    wireless = replace(identity, network=Wifi("net", "password"))
    image = build_image(firmware_files("unix", firmware), wireless, "button5").content
    moved = with_identity(image, b'{"port":10}')
    assert read_blob(moved, "identity") == b'{"port":10}'
    assert read_blob(moved, "network") == read_blob(image, "network")
    row = partition("nvs")
    assert (moved[: row.offset], moved[row.end :]) == (image[: row.offset], image[row.end :])


def test_the_authoritys_certificate_lies_where_the_identity_says(identity: Identity, firmware: Path) -> None:
    secure = replace(identity, tls=True, ca=b"\x30\x82DER")
    image = build_image(firmware_files("unix", firmware), secure, "button5").content
    assert json.loads(read_blob(image, "identity"))["ca"] == CA_PATH
    assert filesystem.read(content(image, "vfs"))[CA_PATH] == b"\x30\x82DER"


def test_an_app_goes_into_the_first_slot_and_without_one_the_image_says_so(
    identity: Identity, firmware: Path
) -> None:
    files = firmware_files("unix", firmware)
    assert "app slots are blank" in build_image(files, identity, "button5").notes[0]
    app = b"\xe9" + bytes(1000)
    with_app = build_image(files, identity, "button5", app)
    assert "no bootloader" in with_app.notes[0]
    assert content(with_app.content, "ota_0")[:1001] == app
    with pytest.raises(ProvisioningError, match="no ESP32 app image"):
        build_image(files, identity, "button5", b"ELF")
    with pytest.raises(ProvisioningError, match="ota_0: 2555905 bytes do not fit in 2555904"):
        build_image(files, identity, "button5", b"\xe9" * (0x270000 + 1))


def test_what_does_not_fit_or_does_not_exist_is_said_in_one_line(identity: Identity, firmware: Path) -> None:
    files = firmware_files("unix", firmware)
    with pytest.raises(ProvisioningError, match="model 'button6' is unknown; there are button4, button5"):
        build_image(files, identity, "button6")
    with pytest.raises(
        ProvisioningError,
        match="board 'esp8266' is unknown; there are unix, button_poe, button_battery, touch_s3",
    ):
        firmware_files("esp8266", firmware)
    with pytest.raises(ProvisioningError, match=r"littlefs: 1 files, 9000 bytes, do not fit in 8192 bytes"):
        filesystem.build({"/big": bytes(9000)}, 8192)
    with pytest.raises(ProvisioningError, match="nvs: 20000 bytes do not fit in 16384"):
        nvs.build({"big": bytes(20000)}, 0x4000)


def test_firmware_that_does_not_compile_is_named_with_its_line(firmware: Path) -> None:
    (firmware / "kiosk" / "marker.py").write_text("x = 1\ndef broken(:\n")
    with pytest.raises(
        ProvisioningError, match=r"kiosk\.marker does not compile: .*line 2.*SyntaxError"
    ) as caught:
        firmware_files("unix", firmware)
    assert "\n" not in str(caught.value)


def test_every_flipped_bit_of_the_partition_table_is_noticed(image: bytes) -> None:
    damaged = bytearray(image)
    for bit in range(32 * (len(LAYOUT) + 1) * 8):
        at = TABLE_OFFSET + bit // 8
        damaged[at] ^= 1 << bit % 8
        with pytest.raises(ProvisioningError, match="partition table: .*write the image anew"):
            decode(damaged)
        damaged[at] ^= 1 << bit % 8
    assert decode(damaged) == LAYOUT


@pytest.mark.parametrize(
    ("size", "why"), [(100, "too few for a partition table"), (FLASH_BYTES - 1, "'vfs' ends")]
)
def test_an_image_that_was_cut_off_is_noticed(image: bytes, size: int, why: str) -> None:
    with pytest.raises(ProvisioningError, match=why):
        decode(image[:size])


def test_a_damaged_file_system_is_an_error_and_is_not_formatted(image: bytes, firmware: Path) -> None:
    row = partition("vfs")
    damaged = image[: row.offset] + bytes(8192) + image[row.offset + 8192 :]
    with pytest.raises(ProvisioningError, match="littlefs: the partition vfs cannot be read"):
        with_firmware(damaged, firmware_files("unix", firmware))


@pytest.mark.parametrize(
    "rows",
    [
        (Partition("a", TYPE_DATA, 2, 0x9000, 0x2000), Partition("b", TYPE_DATA, 2, 0xA000, 0x1000)),
        (Partition("a", TYPE_DATA, 2, 0x9001, 0x1000),),
        (Partition("a", 0, 0x10, 0x11000, 0x1000),),
        (Partition("a", TYPE_DATA, 2, 0x8000, 0x1000),),
        (Partition("a", TYPE_DATA, 2, 0x7FF000, 0x2000),),
        (Partition("a-name-much-too-long", TYPE_DATA, 2, 0x9000, 0x1000),),
    ],
)
def test_an_impossible_table_is_never_written(rows: tuple[Partition, ...]) -> None:
    with pytest.raises(ProvisioningError):
        encode(rows)
