"""A board's whole flash from a real stock image, read back by esptool, mp-image-tool-esp32 and MicroPython."""

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from provisioning import esp_image, filesystem
from provisioning.chips import ESP32, ESP32_S3, chip_of
from provisioning.errors import ProvisioningError
from provisioning.field.targets import ImageFile
from provisioning.firmware_files import FirmwareFiles, firmware_files
from provisioning.flash_layout import FLASH_BYTES, LAYOUT, decode, partition
from provisioning.identity import Identity, Wifi
from provisioning.image import build_image, read_blob
from provisioning.stock import Stock, StockFile, read_stock
from tests.provisioning.stock_images import REAL, REAL_APP_AT, REAL_SHA256, for_s3, list_of, modern
from tests.provisioning.test_flash_image import STOCK_MOUNT

WHO = Identity("kiosk0000001", "5e" * 32, "mqtt.example.fi", 8883, True, b"\x30\x82DER", False, Wifi("n", ""))


@pytest.fixture(scope="module")
def stock() -> Stock:
    return read_stock(REAL, ESP32, unlisted=True)


@pytest.fixture(scope="module")
def firmware() -> FirmwareFiles:
    """The project's own, as compiled for the button kiosk."""
    return firmware_files("button_poe")


@pytest.fixture(scope="module")
def image(stock: Stock, firmware: FirmwareFiles) -> bytes:
    return build_image(firmware, WHO, "button5", stock=stock).content


def tool(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_esptool_finds_bootloader_and_app_whole_and_for_eight_mebibytes(image: bytes, tmp_path: Path) -> None:
    row = partition("ota_0")
    for name, at, size in (("bootloader", 0x1000, 0x7000), ("app", row.offset, row.size)):
        (tmp_path / name).write_bytes(esp_image.checked(image[at : at + size], name))
        said = tool("esptool", "--chip", "esp32", "image-info", tmp_path / name)
        assert re.search(r"Checksum: 0x\w\w \(valid\)", said)
        assert re.search(r"Validation hash: \w{64} \(valid\)", said)
        if name == "bootloader":
            assert "Flash size: 8MB" in said


def test_the_bootloader_is_the_stock_ones_but_for_its_flash_size(stock: Stock) -> None:
    content = REAL.read_bytes()
    different = [i for i, (a, b) in enumerate(zip(content, stock.bootloader, strict=False)) if a != b]
    hashed = range(len(stock.bootloader) - 32, len(stock.bootloader)) if content[23] else ()
    assert different[0] == 3
    assert set(different[1:]) <= set(hashed)
    assert content[REAL_APP_AT : REAL_APP_AT + len(stock.app)] == stock.app
    assert stock.version == "v1.15-108-g43e7e5f00-dirty on 2021-06-08"


def test_another_tool_reads_our_partition_table(image: bytes, tmp_path: Path) -> None:
    # The tool takes a file that begins where a downloaded one does, at the bootloader.
    (tmp_path / "kiosk.bin").write_bytes(image[0x1000:])
    said = tool("mp_image_tool_esp32.main", tmp_path / "kiosk.bin")
    assert all(row.label in said for row in LAYOUT)
    assert all(f"{row.offset:x}" in said for row in LAYOUT)
    assert decode(image) == LAYOUT


def test_the_boards_files_are_mounted_by_micropythons_own_littlefs(
    image: bytes, firmware: FirmwareFiles, tmp_path: Path
) -> None:
    (tmp_path / "flash.img").write_bytes(image)
    (tmp_path / "mount.py").write_text(
        STOCK_MOUNT.replace(
            'vfs.mount(Partition(open(sys.argv[1], "rb"), int(sys.argv[2]), int(sys.argv[3])), "/flash")',
            'part = Partition(open(sys.argv[1], "rb"), int(sys.argv[2]), int(sys.argv[3]))\n'
            'vfs.mount(vfs.VfsLfs2(part), "/flash")',
        )
    )
    row = partition("vfs")
    micropython = Path(sys.executable).with_name("micropython")
    done = subprocess.run(
        [micropython, tmp_path / "mount.py", tmp_path / "flash.img", str(row.offset), str(row.size // 4096)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stderr == ""
    read = dict(line.removeprefix("/flash").split(" ") for line in done.stdout.splitlines())
    assert {path: bytes.fromhex(text) for path, text in read.items()} == {
        **firmware.files,
        "/ca.der": WHO.ca,
    }


def test_the_same_inputs_give_the_same_bytes_and_another_identity_changes_nvs_alone(
    image: bytes, stock: Stock, firmware: FirmwareFiles
) -> None:
    assert build_image(firmware, WHO, "button5", stock=stock).content == image
    other = replace(WHO, id="kiosk0000002", secret="6f" * 32, network=Wifi("elsewhere", "long enough"))
    twin = build_image(firmware, other, "button5", stock=stock).content
    nvs = partition("nvs")
    assert (twin[: nvs.offset], twin[nvs.end :]) == (image[: nvs.offset], image[nvs.end :])
    assert json.loads(read_blob(twin, "identity"))["id"] == "kiosk0000002"
    assert json.loads(read_blob(twin, "network")) == {"ssid": "elsewhere", "key": "long enough"}
    assert json.loads(read_blob(image, "identity"))["host"] == "mqtt.example.fi"
    for label in ("otadata", "phy_init", "ota_1", "journal"):
        row = partition(label)
        assert set(image[row.offset : row.end]) == {0xFF}, label
    assert len(image) == FLASH_BYTES


def test_an_s3s_bootloader_lies_at_the_beginning(tmp_path: Path, identity: Identity) -> None:
    chip = chip_of("touch_s3")
    assert chip is ESP32_S3
    stock = read_stock(for_s3(tmp_path / "s3.bin"), chip, unlisted=True)
    image = build_image(FirmwareFiles({}, "0", 1, ""), identity, "touch", stock=stock).content
    assert image[: len(stock.bootloader)] == stock.bootloader
    assert esp_image.chip_id(esp_image.checked(image, "bootloader")) == 9


def test_a_list_lets_an_image_in_and_nothing_else_does(tmp_path: Path) -> None:
    new = modern(tmp_path / "new.bin")
    with pytest.raises(
        ProvisioningError, match=r"new\.bin: SHA-256 [0-9a-f]{64} is on no list; .*--unlisted"
    ):
        read_stock(new, ESP32)
    digest = hashlib.sha256(new.read_bytes()).hexdigest()
    known = read_stock(new, ESP32, lists=(list_of(tmp_path / "own.toml", REAL_SHA256, digest),))
    assert (known.notes, known.sha256) == ((), digest)
    assert known.version.startswith("v1.29.0")
    with pytest.raises(ProvisioningError, match=r"it is MicroPython v1\.15-.*, kiosks need v1\.29 or newer"):
        read_stock(REAL, ESP32, lists=(tmp_path / "own.toml",))
    notes = read_stock(REAL, ESP32, unlisted=True).notes
    assert [REAL_SHA256 in notes[0], "no kiosk starts with it" in notes[1]] == [True, True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b"\x7fELF" + b[4:], "no ESP32 image"),
        (lambda b: b[:9000], "cut off after 9000 bytes"),
        (lambda b: b[:0x5000] + bytes([b[0x5000] ^ 1]) + b[0x5001:], "damaged"),
        (lambda b: b[:200_000] + bytes([b[200_000] ^ 1]) + b[200_001:], "app: damaged"),
        (lambda b: b[:-70_000], "app: cut off"),
        (lambda b: b[REAL_APP_AT:], r"the whole \.bin is needed, not the \.app-bin"),
        (lambda b: b[:0x7000] + b"\xff" * 0xC00 + b[0x7C00:], "no partition table"),
        (lambda b: b"", "no ESP32 image"),
    ],
)
def test_a_wrong_or_damaged_download_is_named(change, said: str, tmp_path: Path) -> None:
    path = tmp_path / "stock.bin"
    path.write_bytes(change(REAL.read_bytes()))
    with pytest.raises(ProvisioningError, match=said) as caught:
        read_stock(path, ESP32, unlisted=True)
    assert str(caught.value).startswith("stock image stock.bin: ")


def test_an_image_for_another_chip_and_a_spoilt_list_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProvisioningError, match=r"chip id 0, the board has an ESP32-S3 \(9\)"):
        read_stock(REAL, ESP32_S3, unlisted=True)
    with pytest.raises(ProvisioningError, match="board 'unix' has no chip to flash; there are button_poe"):
        chip_of("unix")
    for text, said in (
        ("[[image]]\nsha256 = 'abc'", "sha256 'abc' must be 64 hex digits"),
        ("image = 5", r"needs \[\[image\]\] tables"),
        ("[[image]]\nname = 'x'", "needs"),
        ("[[", "needs"),
    ):
        (tmp_path / "own.toml").write_text(text)
        with pytest.raises(ProvisioningError, match=said):
            read_stock(REAL, ESP32, lists=(tmp_path / "own.toml",))
    with pytest.raises(ProvisioningError, match=r"no\.toml: cannot be read: No such file"):
        read_stock(REAL, ESP32, lists=(tmp_path / "no.toml",))
    with pytest.raises(ProvisioningError, match=r"no\.bin: cannot be read: No such file"):
        read_stock(tmp_path / "no.bin", ESP32)


def test_the_shipped_list_can_be_read() -> None:
    with pytest.raises(ProvisioningError, match="is on no list"):
        read_stock(REAL, ESP32)


def test_what_the_image_holds_is_what_the_firmware_files_are(image: bytes, firmware: FirmwareFiles) -> None:
    row = partition("vfs")
    files = filesystem.read(image[row.offset : row.end])
    assert {p: d for p, d in files.items() if p != "/ca.der"} == firmware.files
    assert any(path.endswith(".mpy") for path in files)


def test_provisioning_makes_the_same_image_and_refuses_a_wrong_stock_before_a_device_is_made(
    image: bytes, tmp_path: Path
) -> None:
    made = tmp_path / "kiosk.img"
    target = ImageFile(made, stock=StockFile((REAL,), unlisted=True))
    target.fits("button5", "")
    who = {"id": WHO.id, "secret": WHO.secret, "host": WHO.host, "port": WHO.port, "model": "button5"}
    said = target.write(who)
    assert said.startswith(f"image {made.name}")
    assert made.read_bytes()[:0x8000] == image[:0x8000], "the bootloader is in it"
    with pytest.raises(ProvisioningError, match="is on no list"):
        ImageFile(made, stock=StockFile((REAL,))).fits("button5", "kiosk0000001")
    with pytest.raises(ProvisioningError, match="it is for chip id"):
        ImageFile(tmp_path / "touch.img", stock=StockFile((REAL,), unlisted=True)).fits("touch", "")
