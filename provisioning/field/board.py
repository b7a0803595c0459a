"""A board that runs MicroPython, on its serial console: its NVS gets the identity through the REPL. Knows no server.

Tried on MicroPython's unix port on a pty with a stand-in for `esp32.NVS`; not run on a real board yet. Stock
MicroPython cannot close the console: whoever opens the case can read the secret of this one kiosk.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from provisioning import ports
from provisioning.errors import ProvisioningError
from provisioning.firmware_files import boards_of
from provisioning.identity import identity_from
from provisioning.nvs import NAMESPACE

REPL_S = 10  # how long a board may take to answer
_CHIPS = {"button_poe": "ESP32", "button_battery": "ESP32S3", "touch_s3": "ESP32S3"}
_READ = """
import sys, esp32, json
def blob(key):
    room = bytearray(4000)
    try:
        return bytes(room[:esp32.NVS({namespace!r}).get_blob(key, room)])
    except OSError:
        return b''
print(json.dumps([sys.implementation._machine, (json.loads(blob('identity') or b'{{}}')).get('id', '')]))
"""
_WRITE = """
nvs = esp32.NVS({namespace!r})
for key, value in {blobs!r}:
    nvs.set_blob(key, value)
nvs.commit()
print(all(blob(key) == value for key, value in {blobs!r}))
"""


class Board:
    """The board at a serial port: /dev/ttyUSB0, /dev/ttyACM0, COM3, or a pty."""

    virtual = False

    def __init__(self, port: str) -> None:
        self.port = port

    def fits(self, model: str, device_id: str) -> None:
        """The chip must be that of the model's board, and the board nobody else."""
        with self._repl() as repl:
            machine, found = self._ask(repl, _READ.format(namespace=NAMESPACE))
        check_chip(self.port, machine, model)
        if found and found != device_id:
            raise ProvisioningError(
                f"{self.port}: this board is kiosk {found} already and may hold answers; harvest and erase it first"
            )

    def write(self, identity: dict[str, Any]) -> str:
        """Write the blobs, and read them back."""
        who = identity_from(identity)
        network = who.network_blob()
        blobs = [("identity", who.blob(who.model or "")), *([("network", network)] if network else [])]
        with self._repl() as repl:
            _machine, found = self._ask(repl, _READ.format(namespace=NAMESPACE))
            if found and found != who.id:
                raise ProvisioningError(
                    f"{self.port}: this board is kiosk {found} already; harvest and erase it first"
                )
            if not self._ask(repl, _WRITE.format(namespace=NAMESPACE, blobs=blobs)):
                raise ProvisioningError(
                    f"{self.port}: what was written cannot be read back; the flash is faulty"
                )
        return f"identity in the NVS of the board at {self.port}"

    def start(self) -> str:
        """A reset: it starts with its identity."""
        with self._repl() as repl:
            repl.exec_raw_no_follow("import machine\nmachine.reset()\n")
        return f"the board at {self.port} starts anew; give it network"

    def forget(self, device_id: str) -> str:
        """Nothing of it is on the laptop."""
        return ""

    @contextmanager
    def _repl(self) -> Iterator[SerialTransport]:
        try:
            transport = SerialTransport(self.port, baudrate=115200, timeout=5)
        except (TransportError, SerialException, OSError) as error:
            raise ProvisioningError(ports.not_opened(self.port, error)) from error
        try:
            with redirect_stdout(StringIO()):  # mpremote prints what it heard instead, before it raises
                transport.enter_raw_repl(soft_reset=False, timeout_overall=REPL_S)
            yield transport
            if transport.in_raw_repl:
                transport.exit_raw_repl()
        except (TransportError, SerialException, OSError) as error:
            raise ProvisioningError(
                f"{self.port}: no MicroPython answers ({str(error).splitlines()[0]}); flash the board first"
            ) from error
        finally:
            transport.close()

    def _ask(self, repl: SerialTransport, code: str) -> Any:
        said = repl.exec(code).decode("utf-8", "replace").strip()
        return True if said == "True" else False if said == "False" else json.loads(said)


def check_chip(port: str, machine: str, model: str) -> None:
    """Raises ProvisioningError when the model is built on another chip. `machine`: what MicroPython says of itself."""
    wanted = [_CHIPS[board] for board in boards_of(model)]
    chip = machine.rpartition(" with ")[2].strip()
    if chip.startswith("ESP32") and chip not in wanted:
        raise ProvisioningError(
            f"model {model} does not fit: it is built on {' or '.join(wanted)}, the board at {port} is {chip}"
        )
