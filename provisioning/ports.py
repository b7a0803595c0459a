"""Which serial ports there are and where their boards hang: by USB identity and location, never by the number.

Opens no port. `comports` is pyserial's list and can be another one in tests.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from serial.tools import list_ports

from provisioning.errors import ProvisioningError

# Chips that carry a board's serial line. Other serial devices (modems, meters) are never offered.
USB_CHIPS = {
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x55D4): "CH9102",
    (0x10C4, 0xEA60): "CP210x",
    (0x0403, 0x6001): "FT232",
    (0x0403, 0x6010): "FT2232",
    (0x0403, 0x6015): "FT230X",
    (0x303A, 0x1001): "ESP32 USB",
}
Comports = Callable[[], Iterable[Any]]


@dataclass(frozen=True)
class Port:
    """device: what esptool opens. location: of the socket on the hub, such as 1-2.3; stays when the number changes."""

    device: str
    location: str = ""
    serial: str = ""
    chip: str = ""

    @property
    def is_remote(self) -> bool:
        """A port over the network has no line that could reset the board."""
        return "://" in self.device

    @property
    def title(self) -> str:
        """For people: where to look, then what it is called today."""
        return f"{self.location} ({self.device})" if self.location else self.device


def find(comports: Comports = list_ports.comports) -> list[Port]:
    """Ports of boards, in the order of their sockets. A port without a USB identity is none."""
    found = [
        Port(one.device, one.location or "", one.serial_number or "", USB_CHIPS[one.vid, one.pid])
        for one in comports()
        if (one.vid, one.pid) in USB_CHIPS
    ]
    return sorted(found, key=lambda port: (_numbers(port.location), port.device))


def chosen(names: Sequence[str], comports: Comports = list_ports.comports) -> list[Port]:
    """The ports that somebody named by device, USB location or serial number; an address (`socket://…`) is taken as
    it is. Raises ProvisioningError for a name that fits no port, or more than one.
    """
    there = find(comports)
    ports: list[Port] = []
    for name in names:
        fits = [port for port in there if name in (port.device, port.location, port.serial)]
        if not fits and (name.startswith("/dev/") or "://" in name or name.upper().startswith("COM")):
            fits = [Port(name)]
        if len(fits) != 1:
            known = ", ".join(port.title for port in there) or "none"
            how = "fits no port" if not fits else "fits more than one port"
            raise ProvisioningError(f"--port {name}: {how}; there are: {known}")
        if fits[0] in ports:
            raise ProvisioningError(f"--port {name}: {fits[0].title} is named twice")
        ports += fits
    return ports


def not_opened(name: str, reason: object) -> str:
    """Why a port that somebody named cannot be opened, and what to do: the library's own words tell neither."""
    if os.name == "posix" and "://" not in name:
        if not os.path.exists(name):
            known = ", ".join(port.title for port in find()) or "none"
            return f"{name} cannot be opened: there is no such port; is the cable in? Boards are at: {known}"
        if not os.access(name, os.R_OK | os.W_OK):
            return f"{name} cannot be opened: this user may not; on Linux join the group dialout and sign in anew"
    return f"{name} cannot be opened ({reason}); is it a board's port, does another program have it open?"


def _numbers(location: str) -> list[int]:
    """1-2.10 comes after 1-2.9; a location of another form (macOS) keeps what numbers it has."""
    return [int(part) for part in "".join(c if c.isdigit() else " " for c in location).split()]
