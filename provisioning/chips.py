"""Which chip a board has, and what esptool and the image format call it. Knows no pin and no flash content."""

from dataclasses import dataclass

from provisioning.errors import ProvisioningError


@dataclass(frozen=True)
class Chip:
    """name: as esptool's `--chip`. image_id: the chip id in an image's header. bootloader_offset: where its ROM
    begins to read.
    """

    name: str
    title: str
    image_id: int
    bootloader_offset: int


ESP32 = Chip("esp32", "ESP32", 0, 0x1000)
ESP32_S3 = Chip("esp32s3", "ESP32-S3", 9, 0x0)
CHIPS = (ESP32, ESP32_S3)
_OF_BOARD = {"button_poe": ESP32, "button_battery": ESP32_S3, "touch_s3": ESP32_S3}


def chip_of(board: str) -> Chip:
    """The chip of a board. Raises ProvisioningError for one that has none (`unix`)."""
    if board not in _OF_BOARD:
        raise ProvisioningError(
            f"board '{board}' has no chip to flash; there are {', '.join(_OF_BOARD)} (see --board)"
        )
    return _OF_BOARD[board]
