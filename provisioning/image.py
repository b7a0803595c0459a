"""The whole flash image of a kiosk: what is written to an ESP32 is what a virtual kiosk runs from.

Knows where parts go and nothing of what they mean. An update replaces the firmware and nothing else:
journal, identity and the state files on littlefs stay bit for bit.
"""

from dataclasses import dataclass
from pathlib import Path

from provisioning import filesystem, nvs
from provisioning.errors import ProvisioningError
from provisioning.firmware_files import FirmwareFiles
from provisioning.flash_layout import FLASH_BYTES, TABLE_OFFSET, decode, encode, partition
from provisioning.identity import CA_PATH, Identity
from provisioning.models import model_of
from provisioning.shipped import is_shipped
from provisioning.stock import Stock

_APP_MAGIC = 0xE9
BLANK_SLOTS = (
    "the app slots are blank: give --stock with a stock MicroPython image to make it one for a board"
)
NO_BOOTLOADER = "there is no bootloader in it: the board must have one already; --stock puts one in"


@dataclass(frozen=True)
class FlashImage:
    """content: FLASH_BYTES bytes. notes: what the technician should know about it, one line each."""

    content: bytes
    notes: tuple[str, ...]


def build_image(
    firmware: FirmwareFiles,
    identity: Identity,
    model: str,
    app: bytes | None = None,
    stock: Stock | None = None,
) -> FlashImage:
    """A fresh image: blank (0xFF) but for the table, the identity, the file system and, when given, the app in ota_0;
    with `stock` the bootloader too, and its app. Blank `otadata` makes the bootloader start ota_0.

    Raises ProvisioningError for an unknown model, or something that does not fit its partition.
    """
    model_of(model)
    image = bytearray(b"\xff") * FLASH_BYTES
    table = encode()
    image[TABLE_OFFSET : TABLE_OFFSET + len(table)] = table
    _put(image, "nvs", nvs.build(_blobs(identity, model), partition("nvs").size))
    files = dict(firmware.files)
    if identity.ca:
        files[CA_PATH] = identity.ca
    _put(image, "vfs", filesystem.build(files, partition("vfs").size))
    if stock is not None:
        start = stock.chip.bootloader_offset
        image[start : start + len(stock.bootloader)] = stock.bootloader
        _put(image, "ota_0", stock.app)
        return FlashImage(bytes(image), stock.notes)
    if app is None:
        return FlashImage(bytes(image), (BLANK_SLOTS,))
    if not app or app[0] != _APP_MAGIC:
        raise ProvisioningError("app: this is no ESP32 app image (its first byte is not 0xE9)")
    _put(image, "ota_0", app)
    return FlashImage(bytes(image), (NO_BOOTLOADER,))


def with_firmware(image: bytes, firmware: FirmwareFiles) -> bytes:
    """The same image with other firmware: shipped files replaced, state files kept, the rest untouched."""
    table = decode(image)
    row = partition("vfs", table)
    state = {p: data for p, data in filesystem.read(image[row.offset : row.end]).items() if not is_shipped(p)}
    return image[: row.offset] + filesystem.build({**state, **firmware.files}, row.size) + image[row.end :]


def with_identity(image: bytes, identity_blob: bytes) -> bytes:
    """The same image with another identity blob, other NVS blobs kept. For a virtual kiosk whose broker
    moved.
    """
    row = partition("nvs", decode(image))
    network = nvs.read(image[row.offset : row.end], "network")
    blobs = {"identity": identity_blob, **({"network": network} if network else {})}
    return image[: row.offset] + nvs.build(blobs, row.size) + image[row.end :]


def read_blob(image: bytes, key: str) -> bytes:
    """A blob from an image's NVS. Raises ProvisioningError when it is missing or damaged."""
    row = partition("nvs", decode(image))
    value = nvs.read(image[row.offset : row.end], key)
    if value is None:
        raise ProvisioningError(f"nvs: the image has no '{key}'; write the image anew")
    return value


def read_image(path: Path) -> bytes:
    """The bytes of an image file, its table checked. Raises ProvisioningError, naming the file."""
    try:
        image = path.read_bytes()
    except OSError as error:
        raise ProvisioningError(f"flash image {path}: cannot be read: {error.strerror}") from error
    try:
        decode(image)
    except ProvisioningError as error:
        raise ProvisioningError(f"{path}: {error}") from error
    return image


def _blobs(identity: Identity, model: str) -> dict[str, bytes]:
    blobs = {"identity": identity.blob(model)}
    network = identity.network_blob()
    if network:
        blobs["network"] = network
    return blobs


def _put(image: bytearray, label: str, content: bytes) -> None:
    row = partition(label)
    if len(content) > row.size:
        raise ProvisioningError(f"{label}: {len(content)} bytes do not fit in {row.size}")
    image[row.offset : row.offset + len(content)] = content
