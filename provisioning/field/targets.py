"""Where an identity goes: a file, a flash image, a virtual kiosk, a board's NVS over its serial console.

Knows no server. Invariant: writing the same identity twice is writing it once; another kiosk's is never overwritten.
"""

import json
from pathlib import Path
from typing import Any, Protocol

from provisioning.chips import chip_of
from provisioning.errors import ProvisioningError
from provisioning.firmware_files import board_of, boards_of, firmware_files
from provisioning.identity import Identity, identity_from
from provisioning.image import build_image, read_blob
from provisioning.stock import Stock, StockFile
from provisioning.virtual.client import VirtualKiosk
from provisioning.virtual.folder import write_private

LOOPBACK = ("127.", "localhost", "::1")


class Target(Protocol):
    """`virtual`: what the server is told."""

    virtual: bool

    def fits(self, model: str, device_id: str) -> None:
        """Raises ProvisioningError when this model cannot go there, or another device is there already. `device_id`: ''
        for a device that is still to be made."""

    def write(self, identity: dict[str, Any]) -> str:
        """Write it; returns what was done, in words. `identity`: the fields of an identity file."""

    def start(self) -> str:
        """Switch it on, or say what a person has to do; returns that in words."""

    def forget(self, device_id: str) -> str:
        """The server has seen the device: what is left of its secret on this laptop goes, or is named. Returns what was
        done, in words, '' for nothing."""


class IdentityFile:
    """A JSON file, as `fleet device create --out` makes it, for `station image` or another tool."""

    virtual = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def fits(self, model: str, device_id: str) -> None:
        """Any model does."""
        _same(device_id, self.path, _id_in_file)

    def write(self, identity: dict[str, Any]) -> str:
        """Readable by its owner alone."""
        _same(identity_from(identity).id, self.path, _id_in_file)
        _write(self.path, (json.dumps(identity) + "\n").encode())
        return f"identity in {self.path.name}"

    def start(self) -> str:
        """What to do with it."""
        return (
            f"build its image (station image --identity {self.path} …), flash it, give it network and power"
        )

    def forget(self, device_id: str) -> str:
        """Another tool may need it still."""
        return (
            f"{self.path} holds its secret: delete it when you need it no more" if self.path.exists() else ""
        )


class ImageFile:
    """A whole flash image for a board."""

    virtual = False

    def __init__(self, path: Path, board: str | None = None, stock: StockFile | None = None) -> None:
        self.path, self.board, self._stock = path, board, stock

    def fits(self, model: str, device_id: str) -> None:
        """A model has its board."""
        _same(device_id, self.path, _id_in_image)
        if self.board not in (None, "unix", *boards_of(model)):
            raise ProvisioningError(
                f"model {model} does not fit board {self.board}: it is built on {' or '.join(boards_of(model))}"
            )
        self._read_stock(model)

    def write(self, identity: dict[str, Any]) -> str:
        """The image holds the secret: readable by its owner alone."""
        who = identity_from(identity)
        _same(who.id, self.path, _id_in_image)
        model = who.model or ""
        firmware = firmware_files(self.board or board_of(model), model=model)
        built = build_image(firmware, who, model, stock=self._read_stock(model))
        _write(self.path, built.content)
        return "; ".join((f"image {self.path.name}", *built.notes))

    def start(self) -> str:
        """What to do with it."""
        return f"flash it (station flash {self.path}), then give it network and power"

    def forget(self, device_id: str) -> str:
        """The board has it; this copy can do nothing but leak."""
        if not self.path.exists() or _id_in_image(self.path) != device_id:
            return ""
        try:
            self.path.unlink()
        except OSError as error:
            return f"{self.path} holds its secret and cannot be deleted ({error.strerror or error}): delete it yourself"
        return f"{self.path} is deleted: it held the kiosk's secret"

    def _read_stock(self, model: str) -> Stock | None:
        return self._stock.read(chip_of(self.board or board_of(model))) if self._stock else None


class Virtual:
    """A kiosk without hardware; made when it is not there yet."""

    virtual = True

    def __init__(self, folder: Path, name: str) -> None:
        self.kiosk = VirtualKiosk(folder, name)

    def fits(self, model: str, device_id: str) -> None:
        """One that exists keeps its model and its name."""
        self._own(device_id)
        if self.kiosk.exists and self.kiosk.facts.model != model:
            raise ProvisioningError(
                f"model {model} does not fit: virtual kiosk '{self.kiosk.name}' is a {self.kiosk.facts.model}"
            )

    def write(self, identity: dict[str, Any]) -> str:
        """Make it; one that is this kiosk already stays as it is."""
        who = identity_from(identity)
        self._own(who.id)
        if not self.kiosk.exists:
            VirtualKiosk.create(
                self.kiosk.folder.path.parent, self.kiosk.name, who, model=who.model or "button5"
            )
        return f"virtual kiosk {self.kiosk.folder.path}"

    def _own(self, device_id: str) -> None:
        if self.kiosk.exists and self.kiosk.facts.id != device_id:
            raise ProvisioningError(
                f"virtual kiosk '{self.kiosk.name}' is {self.kiosk.facts.id} already; choose another name"
            )

    def start(self) -> str:
        """Give it power, unless it has."""
        if not self.kiosk.running:
            self.kiosk.start()
        return f"virtual kiosk '{self.kiosk.name}' has power"

    def forget(self, device_id: str) -> str:
        """Its flash is the kiosk."""
        return ""


def check_broker(identity: Identity, target: Target) -> None:
    """Raises ProvisioningError when a real kiosk would look for the broker in itself."""
    if not target.virtual and identity.host.startswith(LOOPBACK):
        raise ProvisioningError(
            f"the server tells kiosks to find their broker at {identity.host}, which to a kiosk is itself: set "
            "KIOSK_MQTT_HOST on the server, or give --host"
        )


def _same(device_id: str, path: Path, id_in: Any) -> None:
    if path.exists() and (found := id_in(path)) != device_id:
        raise ProvisioningError(
            f"{path} exists and is {found or 'no kiosk of ours'}; move it away, or name another file"
        )


def _id_in_file(path: Path) -> str:
    try:
        return str(json.loads(path.read_text("utf-8"))["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _id_in_image(path: Path) -> str:
    try:
        return str(json.loads(read_blob(path.read_bytes(), "identity"))["id"])
    except (OSError, ValueError, KeyError, TypeError, ProvisioningError):
        return ""


def _write(path: Path, content: bytes) -> None:
    try:
        write_private(path, content)
    except OSError as error:
        raise ProvisioningError(f"{path} cannot be written ({error.strerror or error})") from error
