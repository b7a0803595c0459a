"""A stock MicroPython image as it was downloaded: known by its SHA-256, taken apart into bootloader and app.

Knows no kiosk. Invariant: nothing goes into a kiosk that is not on a list, unless somebody said so (`unlisted`).
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from provisioning import esp_image
from provisioning.chips import Chip
from provisioning.errors import ProvisioningError
from provisioning.flash_layout import FLASH_BYTES, TABLE_OFFSET, TYPE_APP, decode

SHIPPED_LIST = Path(__file__).with_name("stock_images.toml")
OLDEST = (1, 29)  # hardware/*/board.toml: what the boards' modules need
_BANNER = re.compile(rb"MicroPython v(\d+)\.(\d+)([^\0;]{0,60}); ([^\0]{1,60})")
# The largest flash that a stock table may speak of: it is read, not written.
_LARGEST_FLASH = 32 << 20


@dataclass(frozen=True)
class Stock:
    """bootloader: for FLASH_BYTES of flash; app: as downloaded. version: what MicroPython says of itself.

    notes: what the technician should know, one line each.
    """

    chip: Chip
    bootloader: bytes
    app: bytes
    sha256: str
    version: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class StockFile:
    """Stock images that are named and not read yet, one for each chip. `own_list`: a list beside the shipped one."""

    paths: tuple[Path, ...]
    own_list: Path | None = None
    unlisted: bool = False

    def read(self, chip: Chip) -> Stock:
        """The one for this chip. Raises ProvisioningError."""
        lists = (SHIPPED_LIST, self.own_list) if self.own_list else (SHIPPED_LIST,)
        return read_stock(self._of(chip), chip, lists=lists, unlisted=self.unlisted)

    def _of(self, chip: Chip) -> Path:
        if len(self.paths) == 1:
            return self.paths[0]
        for path in self.paths:
            with path.open("rb") as file:
                head = file.read(24)
            if len(head) == 24 and esp_image.chip_id(head) == chip.image_id:
                return path
        names = ", ".join(path.name for path in self.paths)
        raise ProvisioningError(f"stock images {names}: none is for an {chip.title}; give one more --stock")


def read_stock(
    path: Path, chip: Chip, *, lists: tuple[Path, ...] = (SHIPPED_LIST,), unlisted: bool = False
) -> Stock:
    """Reads a whole image (`ESP32_GENERIC-….bin`; an `.app-bin` has no bootloader).

    Raises ProvisioningError when its SHA-256 is on no list (unless `unlisted`), it is for another chip, too old
    (unless `unlisted`), or damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProvisioningError(f"stock image {path}: cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    known = any(digest in _listed(one) for one in lists)
    if not known and not unlisted:
        raise ProvisioningError(
            f"stock image {path.name}: SHA-256 {digest} is on no list; compare it with a second download, then add it "
            f"to a list (--list FILE; {SHIPPED_LIST.name} says how), or give --unlisted"
        )
    notes: tuple[str, ...] = (
        () if known else (f"{path.name} is on no list (--unlisted); its SHA-256 is {digest}",)
    )
    bootloader, app = _parts(content, path.name, chip)
    version, old = _version(app)
    if old and not unlisted:
        raise ProvisioningError(
            f"stock image {path.name}: it is MicroPython {version}, kiosks need {_dotted(OLDEST)} or newer"
        )
    if old:
        notes += (f"MicroPython {version} is older than {_dotted(OLDEST)}: no kiosk starts with it",)
    return Stock(chip, esp_image.with_flash_size(bootloader, FLASH_BYTES), app, digest, version, notes)


def _listed(path: Path) -> set[str]:
    try:
        rows = tomllib.loads(path.read_text("utf-8")).get("image", [])
        found = {str(row["sha256"]).lower() for row in rows}
    except OSError as error:
        raise ProvisioningError(f"list {path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProvisioningError(f"list {path}: needs [[image]] tables with 'sha256': {error!r}") from error
    wrong = next((one for one in found if not re.fullmatch(r"[0-9a-f]{64}", one)), None)
    if wrong is not None:
        raise ProvisioningError(f"list {path}: sha256 '{wrong}' must be 64 hex digits")
    return found


def _parts(content: bytes, name: str, chip: Chip) -> tuple[bytes, bytes]:
    bootloader = esp_image.checked(content, f"stock image {name}")
    found = esp_image.chip_id(bootloader)
    if found != chip.image_id:
        raise ProvisioningError(
            f"stock image {name}: it is for chip id {found}, the board has an {chip.title} ({chip.image_id})"
        )
    flash = b"\xff" * chip.bootloader_offset + content
    try:
        table = decode(flash, _LARGEST_FLASH)
    except ProvisioningError as error:
        raise ProvisioningError(
            f"stock image {name}: no partition table in it; the whole .bin is needed, not the .app-bin"
        ) from error
    if chip.bootloader_offset + len(bootloader) > TABLE_OFFSET:
        raise ProvisioningError(f"stock image {name}: its bootloader of {len(bootloader)} bytes is too long")
    row = next((row for row in table if row.type == TYPE_APP), None)
    if row is None:
        raise ProvisioningError(f"stock image {name}: its table has no app")
    return bootloader, esp_image.checked(flash[row.offset :], f"stock image {name}: app")


def _version(app: bytes) -> tuple[str, bool]:
    """What the banner of its REPL says, and whether it is too old."""
    found = _BANNER.search(app)
    if found is None:
        return "unknown", True
    numbers = (int(found[1]), int(found[2]))
    return _dotted(numbers) + found[3].decode("ascii", "replace"), numbers < OLDEST


def _dotted(version: tuple[int, int]) -> str:
    return f"v{version[0]}.{version[1]}"
